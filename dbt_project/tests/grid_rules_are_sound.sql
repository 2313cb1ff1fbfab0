-- Rules that would make a limit or a bill ambiguous; each row names the rule, the case and what is wrong.
select 'connection_limit' as rule, supply_class || ' ' || limit_id as subject, 'limits of one stage begin at different ones' as problem
from {{ ref('connection_limit') }}
group by supply_class, limit_id, to_stage
having count(distinct from_stage) > 1

union all

select 'connection_limit', supply_class || ' ' || to_stage, 'two limits end with one stage'
from {{ ref('connection_limit') }}
where scope = 'stage'
group by supply_class, to_stage
having count(distinct limit_id) > 1

union all

select 'connection_limit', green.supply_class || ' ' || green.limit_id, 'the green channel promises more than half of ' || normal.working_days
from {{ ref('connection_limit') }} as green
left join {{ ref('connection_limit') }} as normal
    on normal.limit_kind = 'promise'
    and normal.supply_class = green.supply_class
    and normal.limit_id = green.limit_id
    and green.valid_from < normal.valid_to
    and normal.valid_from < green.valid_to
where green.limit_kind = 'green_promise' and coalesce(green.working_days * 2 > normal.working_days, true)

union all

select 'power_factor_adjustment', standard || ' at ' || hundredth / 100.0, count(band.standard) || ' bands, not one'
from (select distinct standard from {{ ref('power_factor_adjustment') }}) as measured
cross join generate_series(0, 100) as hundredth
left join {{ ref('power_factor_adjustment') }} as band using (standard)
where hundredth / 100.0 between band.factor_from and band.factor_to and band.valid_to = date '9999-12-31'
group by standard, hundredth
having count(band.standard) <> 1

union all

select 'power_factor_adjustment', standard::text, 'bands do not reach from 0 to 1'
from {{ ref('power_factor_adjustment') }}
where valid_to = date '9999-12-31'
group by standard
having sum((factor_to - factor_from) * 100 + 1) <> 101

union all

select 'tariff price', tariff_id || ' ' || period || coalesce(' ' || tier, ''), 'several prices in month ' || month
from {{ ref('dim_tariff_period') }}
cross join generate_series(1, 12) as month
where tariff_period_key > 0
    and is_current
    and case when month_from <= month_to then month between month_from and month_to else month >= month_from or month <= month_to end
group by source_system, tariff_id, period, tier, month
having count(distinct price) > 1 or count(distinct kwh_from) > 1 or count(distinct kwh_to) > 1

union all

select 'tariff price', tariff_id || ' ' || period, 'tiers do not meet at ' || kwh_to
from (
    select
        tariff_id,
        period,
        kwh_to,
        lead(kwh_from) over (partition by source_system, tariff_id, period, month_from, time_from order by tier) as next_from
    from {{ ref('dim_tariff_period') }}
    where is_current and tier is not null
) as rung
where kwh_to <> next_from
