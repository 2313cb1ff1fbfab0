-- The source numbers no transactions: business date and line of the file identify one. A negative amount is a refund. The
-- merchant is a hashed number. `source_type` keeps what was sent of the mode of entry and of errors; the set does not say
-- whether a transaction with an error went through, so all of them are kept as purchases.
select
    'tabformer' as source_system,
    {{ controller_of('tabformer') }} as controller_id,
    to_char(loaded.business_date, 'YYYYMMDD') || '-' || source_row._line as transaction_id,
    source_row.user_no || '-' || source_row.card_index as card_id,
    source_row.user_no || '-' || source_row.card_index as card_account_id,
    make_date(source_row.year, source_row.month, source_row.day) as accounting_date,
    make_date(source_row.year, source_row.month, source_row.day) + source_row.time::time as transacted_at,
    case when source_row.amount < 0 then 'refund' else 'purchase' end as transaction_type,
    concat_ws(' · ', source_row.use_chip, source_row.errors) as source_type,
    case when source_row.amount < 0 then 'C' else 'D' end as direction,
    abs(source_row.amount) as amount,
    'USD' as currency,
    abs(source_row.amount) as original_amount,
    'USD' as original_currency,
    source_row.mcc,
    source_row.merchant_name as merchant_id,
    null as merchant_name,
    case source_row.use_chip
        when 'Chip Transaction' then 'chip'
        when 'Swipe Transaction' then 'swipe'
        when 'Online Transaction' then 'online'
    end as entry_mode,
    null as authorisation_id,
    null as reverses_transaction_id,
    source_row.is_fraud,
    {{ lineage() }}
from {{ source('tabformer', 'transaction') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
