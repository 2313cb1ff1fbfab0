select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.seizure_id,
    source_row.operation_no,
    source_row.organisation_id,
    source_row.seized_on,
    source_row.seizure_kind,
    source_row.quantity,
    source_row.unit,
    {{ lineage() }}
from {{ source('retail', 'seizure') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
