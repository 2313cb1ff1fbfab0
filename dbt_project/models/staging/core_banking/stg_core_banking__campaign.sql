select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.campaign_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.campaign_name,
    source_row.product_id,
    source_row.starts_on,
    source_row.ends_on,
    source_row.budget,
    {{ lineage() }}
from {{ source('core_banking', 'campaign') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
