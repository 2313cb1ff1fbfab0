select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.organisation_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.organisation_name,
    source_row.parent_id,
    source_row.organisation_level,
    source_row.licence_no,
    source_row.region_code,
    source_row.address,
    source_row.phone,
    source_row.star_level,
    source_row.opened_on,
    source_row.closed_on,
    {{ lineage() }}
from {{ source('core_banking', 'organisation') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
