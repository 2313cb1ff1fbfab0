select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.loan_id,
    source_row.instalment_no,
    source_row.due_on,
    source_row.principal_due,
    source_row.interest_due,
    {{ lineage() }}
from {{ source('core_banking', 'repayment_schedule') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
