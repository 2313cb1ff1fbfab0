{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="analyze {{ this }}",
    indexes=[{'columns': ['account_key', 'valid_from'], 'unique': True}]
) }}

-- A row arrives on a day of change and holds to the next one. Only the ranges from the first new day on are made anew.
with arrived as (
    select distinct on (source_system, account_id, balance_date)
        source_system,
        controller_id,
        account_id,
        {{ member_key('account', 'source_system', 'account_id') }} as account_key,
        balance_date as valid_from,
        balance,
        currency,
        file_id,
        line,
        known_at
    from ({{ union_feeds('account_balance', where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
    order by source_system, account_id, balance_date, known_at desc, file_id desc, line desc
),

day_of_change as (
    select * from arrived
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
    from (
        select account_key, min(valid_from) as first_day
        from arrived
        group by account_key
    ) as touched
    inner join {{ this }} as kept
        on kept.account_key = touched.account_key
        and kept.valid_from >= coalesce((
            select max(before.valid_from)
            from {{ this }} as before
            where before.account_key = touched.account_key and before.valid_from <= touched.first_day
        ), touched.first_day)
    where not exists (
        select 1 from arrived
        where arrived.account_key = kept.account_key and arrived.valid_from = kept.valid_from
    )
    {%- endif %}
)

select
    *,
    lead(valid_from, 1, date '9999-12-31') over (partition by account_key order by valid_from) as valid_to
from day_of_change
