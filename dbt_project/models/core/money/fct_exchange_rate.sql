{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['exchange_rate_key', 'valid_from'],
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['exchange_rate_key', 'valid_from'], 'unique': True}]
) }}

-- A rate holds from its day to the next one of its kind. Only the ranges from the first new day on are made anew: a late
-- rate cuts the range that it falls in, a rate sent again takes the place of the one before. What is not above zero is no
-- rate, even where a steward lets it in.
with arrived as (
    select distinct on (source_system, currency, quote_currency, rate_type, rate_date)
        *
    from ({{ union_feeds('exchange_rate', where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
    where {{ shape('exchange_rate').snapshot.only }}
    order by source_system, currency, quote_currency, rate_type, rate_date, known_at desc, file_id desc, line desc
),

day_of_change as (
    select
        source_system,
        controller_id,
        {{ durable_key('exchange_rate', 'source_system', 'currency || chr(31) || quote_currency || chr(31) || rate_type') }}
            as exchange_rate_key,
        currency,
        quote_currency,
        rate_type,
        rate_date as valid_from,
        units,
        rate,
        (rate / units)::numeric(24, 12) as unit_rate,
        file_id,
        line,
        known_at
    from arrived
)

{{ ranges_with('day_of_change', 'exchange_rate_key') }}
