select
    'card' as source_system,
    {{ controller_of('card') }} as controller_id,
    source_row.card_account_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.cardholder_id as customer_id,
    'core_banking' as settlement_source_system,
    source_row.settlement_account_id,
    source_row.currency,
    source_row.credit_limit,
    source_row.cycle_day,
    source_row.opened_on,
    source_row.closed_on,
    source_row.days_past_due,
    source_row.status,
    {{ lineage() }}
from {{ source('card', 'card_account') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
