-- Every card has an account of its own: a limit and a month of opening. The account that settles it is not known.
select
    'tabformer' as source_system,
    {{ controller_of('tabformer') }} as controller_id,
    source_row.user_no || '-' || source_row.card_index as card_account_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.user_no::text as customer_id,
    null as settlement_source_system,
    null as settlement_account_id,
    'USD' as currency,
    source_row.credit_limit,
    null as cycle_day,
    to_date(source_row.acct_open_date, 'MM/YYYY') as opened_on,
    null as closed_on,
    null as days_past_due,
    'active' as status,
    {{ lineage() }}
from {{ source('tabformer', 'card') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
