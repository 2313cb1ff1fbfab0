select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.repayment_id,
    source_row.loan_id,
    source_row.instalment_no,
    source_row.paid_on,
    source_row.amount,
    source_row.principal_paid,
    source_row.interest_paid,
    source_row.penalty_paid,
    {{ lineage() }}
from {{ source('core_banking', 'repayment') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
