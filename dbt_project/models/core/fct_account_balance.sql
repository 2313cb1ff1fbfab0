{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="analyze {{ this }}"
) }}

-- A row arrives on a day of change and holds to the next one.
with arrived as (
    select distinct on (source_system, account_id, balance_date)
        *
    from ({{ union_feeds('account_balance', where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
    order by source_system, account_id, balance_date, known_at desc, file_id desc, line desc
),

day_of_change as (
    select
        arrived.source_system,
        arrived.controller_id,
        arrived.account_id,
        {{ member_key('account', 'arrived.source_system', 'arrived.account_id') }} as account_key,
        arrived.balance_date as valid_from,
        arrived.balance,
        arrived.currency,
        arrived.file_id,
        arrived.line,
        arrived.known_at
    from arrived
)

{{ ranges_with('day_of_change', 'account_key') }}
