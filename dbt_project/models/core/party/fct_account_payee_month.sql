{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_key', 'payment_month'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_account_transaction']) }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- Payments add up, as channels do in fct_account_channel_month. A payee is known by the key that its account would have
-- here; name and bank stay with the posting that names it last.
with arrived as (
    select
        posting.controller_id,
        posting.account_key,
        date_trunc('month', posting.accounting_date)::date as payment_month,
        {{ durable_key('account', 'posting.source_system', 'posting.counterparty_account') }} as payee_key,
        posting.currency,
        posting.row_sign as payment_count,
        posting.amount,
        posting.transaction_id,
        posting.known_at
    from {{ ref('fct_account_transaction') }} as posting
    where posting.file_id = any({{ pending_files() }})
        and posting.direction = 'D'
        and posting.counterparty_account is not null
),

added_to as (
    select controller_id, account_key, payment_month, payee_key, currency, payment_count, amount, transaction_id, known_at
    from arrived
    {%- if is_incremental() %}
    union all
    select controller_id, account_key, payment_month, payee_key, currency, payment_count, amount, last_transaction_id, known_at
    from {{ this }}
    where (account_key, payment_month) in (select account_key, payment_month from arrived)
    {%- endif %}
)

select
    controller_id,
    account_key,
    payment_month,
    payee_key,
    currency,
    sum(payment_count)::integer as payment_count,
    sum(amount)::numeric(18, 2) as amount,
    max(transaction_id collate "C") as last_transaction_id,
    max(known_at) as known_at
from added_to
group by controller_id, account_key, payment_month, payee_key, currency
