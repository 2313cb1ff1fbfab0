{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- A row arrives on a day of change and holds to the next one.
with arrived as (
    select *, {{ member_key('account', 'source_system', 'account_id') }} as account_key
    from ({{ union_feeds('account_balance', where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
),

day_of_change as (
    select distinct on (account_key, balance_date)
        source_system,
        controller_id,
        account_id,
        account_key,
        balance_date as valid_from,
        balance,
        currency,
        file_id,
        line,
        known_at
    from arrived
    order by account_key, balance_date, known_at desc, file_id desc, line desc
)

{{ ranges_with('day_of_change', 'account_key') }}
