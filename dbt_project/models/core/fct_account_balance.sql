{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="analyze {{ this }}"
) }}

-- A row arrives on a day of change and holds to the next one. Only the ranges from the first new day on are made anew.
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
    {%- if is_incremental() %}
    union all
    select
        kept.source_system,
        kept.controller_id,
        kept.account_id,
        kept.account_key,
        kept.valid_from,
        kept.balance,
        kept.currency,
        kept.file_id,
        kept.line,
        kept.known_at
    from {{ this }} as kept
    inner join (
        select source_system, account_id, min(balance_date) as first_day
        from arrived
        group by source_system, account_id
    ) as touched
        on touched.source_system = kept.source_system and touched.account_id = kept.account_id
        and kept.valid_to > touched.first_day
    where not exists (
        select 1 from arrived
        where arrived.source_system = kept.source_system and arrived.account_id = kept.account_id
            and arrived.balance_date = kept.valid_from
    )
    {%- endif %}
)

select
    *,
    lead(valid_from, 1, date '9999-12-31') over (partition by account_key order by valid_from) as valid_to
from day_of_change
