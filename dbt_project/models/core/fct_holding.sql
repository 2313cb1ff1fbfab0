{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['holding_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- A row arrives on a day of change and holds to the next one.
with arrived as (
    select distinct on (source_system, holding_id, holding_date)
        *
    from ({{ union_feeds('wealth_holding', where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
    order by source_system, holding_id, holding_date, known_at desc, file_id desc, line desc
),

day_of_change as (
    select
        arrived.source_system,
        arrived.controller_id,
        arrived.holding_id,
        arrived.customer_id,
        arrived.account_id,
        arrived.product_id,
        {{ member_key('holding', 'arrived.source_system', 'arrived.holding_id') }} as holding_key,
        {{ member_key('customer', 'arrived.source_system', 'arrived.customer_id') }} as customer_key,
        {{ member_key('account', 'arrived.source_system', 'arrived.account_id') }} as account_key,
        {{ member_key('product', 'arrived.source_system', 'arrived.product_id') }} as product_key,
        arrived.holding_date as valid_from,
        arrived.quantity,
        arrived.market_value,
        arrived.currency,
        arrived.file_id,
        arrived.line,
        arrived.known_at
    from arrived
)

{{ ranges_with('day_of_change', 'holding_key') }}
