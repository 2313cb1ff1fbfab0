select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.order_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.account_id,
    source_row.counterparty_bank,
    source_row.counterparty_account,
    source_row.amount,
    'CNY' as currency,
    source_row.purpose,
    source_row.purpose as source_purpose,
    source_row.payee_customer_no,
    source_row.frequency,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('core_banking', 'standing_order') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
