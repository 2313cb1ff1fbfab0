select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.campaign_id,
    source_row.customer_id,
    source_row.employee_id,
    source_row.targeted_on,
    source_row.responded_on,
    source_row.outcome,
    source_row.amount,
    {{ lineage() }}
from {{ source('core_banking', 'campaign_target') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
