{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['holding_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="analyze {{ this }}"
) }}

-- A row arrives on a day of change and holds to the next one. Only the ranges from the first new day on are made anew.
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
    {%- if is_incremental() %}
    union all
    select
        kept.source_system,
        kept.controller_id,
        kept.holding_id,
        kept.customer_id,
        kept.account_id,
        kept.product_id,
        kept.holding_key,
        kept.customer_key,
        kept.account_key,
        kept.product_key,
        kept.valid_from,
        kept.quantity,
        kept.market_value,
        kept.currency,
        kept.file_id,
        kept.line,
        kept.known_at
    from {{ this }} as kept
    inner join (
        select source_system, holding_id, min(holding_date) as first_day
        from arrived
        group by source_system, holding_id
    ) as touched
        on touched.source_system = kept.source_system and touched.holding_id = kept.holding_id
        and kept.valid_to > touched.first_day
    where not exists (
        select 1 from arrived
        where arrived.source_system = kept.source_system and arrived.holding_id = kept.holding_id
            and arrived.holding_date = kept.valid_from
    )
    {%- endif %}
)

select
    *,
    lead(valid_from, 1, date '9999-12-31') over (partition by holding_key order by valid_from) as valid_to
from day_of_change
