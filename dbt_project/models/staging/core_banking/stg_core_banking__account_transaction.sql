select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.transaction_id,
    source_row.account_id,
    source_row.accounting_date,
    source_row.transacted_at,
    source_row.direction,
    source_row.amount,
    source_row.currency,
    source_row.balance_after,
    source_row.transaction_type,
    source_row.transaction_type as source_type,
    true as is_documented_type,
    source_row.channel_id,
    source_row.counterparty_account,
    source_row.counterparty_name,
    source_row.counterparty_bank,
    source_row.operator_id,
    source_row.summary,
    source_row.reverses_transaction_id,
    {{ lineage() }}
from {{ source('core_banking', 'account_transaction') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
