select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.organisation_id,
    source_row.subject_id,
    source_row.currency,
    source_row.accounting_date,
    source_row.balance_side,
    source_row.opening_balance,
    source_row.debit_amount,
    source_row.credit_amount,
    source_row.closing_balance,
    {{ lineage() }}
from {{ source('core_banking', 'general_ledger') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
