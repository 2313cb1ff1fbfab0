select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.application_id,
    source_row.stage as stage_id,
    source_row.customer_id,
    source_row.loan_type,
    source_row.started_at,
    source_row.ended_at,
    source_row.employee_id,
    source_row.contract_no,
    source_row.decision,
    {{ lineage() }}
from {{ source('core_banking', 'loan_application_stage') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
