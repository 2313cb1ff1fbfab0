select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.lead_id,
    source_row.customer_id,
    source_row.employee_id,
    source_row.lead_kind,
    source_row.created_at,
    source_row.due_on,
    source_row.handled_at,
    source_row.disposition,
    {{ lineage() }}
from {{ source('core_banking', 'lead') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
