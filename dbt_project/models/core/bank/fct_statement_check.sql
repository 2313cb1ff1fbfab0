{{ config(post_hook="analyze {{ this }}") }}

-- Reported sales beside what others tell (C360-60): both values are kept, and the thresholds stand in the seed
-- statement_series. The grid's energy comes in only through the gate of DESIGN decision 8, and leaves with the consent;
-- therefore the whole is made anew, not only what was touched.
with statement as (
    select distinct on (source_system, statement_id)
        *,
        ((extract(year from age(period_end + 1, period_start)) * 12 + extract(month from age(period_end + 1, period_start))))::integer
            as months_of_period
    from {{ ref('fct_financial_statement') }}
    where row_sign = 1
    order by source_system, statement_id, version_no desc, known_at desc, file_id desc, line desc
),

observed as (
    select customer_key, series, series_month, sum(series_value) as series_value, max(known_at) as known_at
    from {{ ref('fct_external_series') }}
    group by customer_key, series, series_month
    having sum(row_sign) > 0
    union all
    select placed.customer_key, 'grid_energy', metered.figures_month, sum(metered.energy_kwh), null
    from {{ ref('bridge_party_source') }} as placed
    inner join {{ ref('bridge_sharing_basis') }} as basis
        on basis.party_key = placed.party_key and basis.to_controller_id = placed.controller_id and basis.is_current
    inner join {{ ref('fct_party_month') }} as metered
        on metered.party_key = basis.party_key
        and metered.controller_id = basis.from_controller_id
        and metered.service_point_count > 0
        and metered.as_of >= basis.valid_from
        and metered.as_of < basis.valid_to
    where placed.controller_id <> metered.controller_id
    group by placed.customer_key, metered.figures_month
),

compared as (
    select
        statement.source_system,
        statement.controller_id,
        statement.statement_id,
        statement.customer_key,
        statement.customer_id,
        statement.period_kind,
        statement.period_start,
        statement.period_end,
        statement.audit_state,
        statement.verification_state,
        statement.currency,
        statement.reported_sales,
        statement.months_of_period,
        observed.series,
        parameter.least_ratio,
        parameter.greatest_ratio,
        count(*)::integer as months_covered,
        sum(observed.series_value)::numeric(18, 4) as series_value,
        (sum(observed.series_value) * parameter.sales_per_unit)::numeric(18, 2) as implied_sales,
        greatest(statement.known_at, max(observed.known_at)) as known_at
    from statement
    inner join observed
        on observed.customer_key = statement.customer_key
        and observed.series_month between statement.period_start and statement.period_end
    inner join {{ ref('statement_series') }} as parameter
        on parameter.series = observed.series
        and statement.period_end >= parameter.valid_from
        and statement.period_end < parameter.valid_to
    group by
        statement.source_system, statement.controller_id, statement.statement_id, statement.customer_key,
        statement.customer_id, statement.period_kind, statement.period_start, statement.period_end, statement.audit_state,
        statement.verification_state, statement.currency, statement.reported_sales, statement.months_of_period,
        statement.known_at, observed.series, parameter.sales_per_unit, parameter.least_ratio, parameter.greatest_ratio
),

measured as (
    select *, (reported_sales / nullif(implied_sales, 0))::numeric(18, 4) as ratio
    from compared
)

select
    *,
    case
        when currency <> 'CNY' then 'other_currency'
        when months_covered < months_of_period then 'incomplete'
        when ratio > greatest_ratio or (ratio is null and reported_sales > 0) then 'overstated'
        when ratio < least_ratio then 'understated'
        else 'plausible'
    end as check_state
from measured
