{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{% if is_incremental() %}delete from {{ this }}{% endif %}",
    post_hook="analyze {{ this }}",
    indexes=[{'columns': ['controller_id', 'currency', 'valid_from']}]
) }}

-- What one unit of a currency is worth in the reporting currency of a controller, day by day as stretches. The rule (seed
-- reporting_currency) says whose rates of which type count and how old a rate may grow. The reporting currency itself needs
-- no rate; a currency without a row on a day has none. A table, since the planner must know
-- that the reporting currency has one stretch; written anew inside, since views stand on it.
select
    rule.controller_id,
    rate.currency,
    rule.reporting_currency,
    rate.rate_type,
    rate.valid_from as rate_date,
    rate.unit_rate,
    rule.decimals,
    greatest(rate.valid_from, rule.valid_from) as valid_from,
    least(rate.valid_to, rule.valid_to, rate.valid_from + rule.max_age_days + 1) as valid_to
from {{ ref('reporting_currency') }} as rule
inner join {{ ref('fct_exchange_rate') }} as rate
    on rate.source_system = rule.rate_source
    and rate.quote_currency = rule.reporting_currency
    and rate.currency <> rule.reporting_currency
    and rate.rate_type = rule.rate_type
    and rate.valid_from < rule.valid_to
    and least(rate.valid_to, rate.valid_from + rule.max_age_days + 1) > rule.valid_from
union all
select
    rule.controller_id,
    rule.reporting_currency,
    rule.reporting_currency,
    null,
    null,
    1::numeric(24, 12),
    rule.decimals,
    rule.valid_from,
    rule.valid_to
from {{ ref('reporting_currency') }} as rule
