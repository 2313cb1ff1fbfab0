{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'bill_id'],
    full_refresh=false,
    on_schema_change='fail',
    pre_hook="{{ take_up(after=['fct_grid_bill_basis']) }}",
    post_hook="analyze {{ this }}"
) }}

-- Bills computed again from their basis (readings, contract, tariff): energy by period and tier, basic charge, power-factor
-- adjustment, funds; each row is rounded to 0.01 half-up and the total is the sum of the rows (domain A2 to A6).
with touched as (
    {{ grid_bills_touched() }}
),

basis as (
    select basis.*
    from {{ ref('fct_grid_bill_basis') }} as basis
    inner join touched
        on touched.service_point_key = basis.service_point_key and basis.billing_month >= touched.from_month
),

price as (
    select
        basis.source_system,
        basis.bill_id,
        period.period,
        period.tier,
        min(period.price) as price,
        min(period.kwh_from) as kwh_from,
        min(period.kwh_to) as kwh_to
    from basis
    inner join {{ ref('dim_tariff_period') }} as period
        on period.tariff_key = basis.tariff_key
        and basis.priced_on >= period.valid_from
        and basis.priced_on < period.valid_to
        and case
            when period.month_from <= period.month_to
                then extract(month from basis.billing_month) between period.month_from and period.month_to
            else extract(month from basis.billing_month) >= period.month_from
                or extract(month from basis.billing_month) <= period.month_to
        end
    where period.tariff_period_key > 0
    group by basis.source_system, basis.bill_id, period.period, period.tier
),

-- What the registers of the periods do not tell goes to flat, or to valley where the tariff has no flat price.
rest_period as (
    select
        source_system,
        bill_id,
        case when bool_or(period = 'flat') then 'flat' else 'valley' end as rest_period
    from price
    group by source_system, bill_id
),

period_kwh as (
    select basis.source_system, basis.bill_id, measured.period, measured.kwh
    from basis
    cross join lateral (
        values ('sharp', basis.kwh_sharp), ('peak', basis.kwh_peak), ('flat', basis.kwh_flat), ('valley', basis.kwh_valley)
    ) as measured (period, kwh)
    inner join rest_period on rest_period.source_system = basis.source_system and rest_period.bill_id = basis.bill_id
    where basis.is_time_of_use and measured.kwh > 0 and measured.period <> rest_period.rest_period
),

tier as (
    select
        basis.source_system,
        basis.bill_id,
        rung.tier,
        rung.is_last,
        basis.kwh as kwh_of_bill,
        case
            when rung.tier is null then basis.kwh
            else greatest(
                least(basis.kwh_of_year_before + basis.kwh, coalesce(rung.kwh_to, 'infinity'))
                    - greatest(basis.kwh_of_year_before, rung.kwh_from),
                0
            )
        end as kwh
    from basis
    inner join (
        select
            source_system,
            bill_id,
            tier,
            min(kwh_from) as kwh_from,
            max(kwh_to) as kwh_to,
            tier is not distinct from max(tier) over (partition by source_system, bill_id) as is_last
        from price
        group by source_system, bill_id, tier
    ) as rung on rung.source_system = basis.source_system and rung.bill_id = basis.bill_id
),

tier_to as (
    select
        *,
        sum(kwh) over (partition by source_system, bill_id order by tier) as kwh_to_here
    from tier
),

-- Periods share a tier in proportion to the month, counted from the first tier on, so that they add up.
shared_to as (
    select
        tier_to.source_system,
        tier_to.bill_id,
        period_kwh.period,
        tier_to.tier,
        case
            when tier_to.is_last or tier_to.kwh_of_bill = 0 then period_kwh.kwh
            else round(tier_to.kwh_to_here * period_kwh.kwh / tier_to.kwh_of_bill, 4)
        end as kwh_to_here
    from tier_to
    inner join period_kwh on period_kwh.source_system = tier_to.source_system and period_kwh.bill_id = tier_to.bill_id
),

shared as (
    select
        source_system,
        bill_id,
        period,
        tier,
        kwh_to_here - lag(kwh_to_here, 1, 0) over (partition by source_system, bill_id, period order by tier) as kwh
    from shared_to
),

energy_row as (
    select source_system, bill_id, period, tier, kwh from shared
    union all
    select
        tier.source_system,
        tier.bill_id,
        rest_period.rest_period,
        tier.tier,
        tier.kwh - coalesce((
            select sum(shared.kwh) from shared
            where shared.source_system = tier.source_system and shared.bill_id = tier.bill_id
                and shared.tier is not distinct from tier.tier
        ), 0)
    from tier
    inner join rest_period on rest_period.source_system = tier.source_system and rest_period.bill_id = tier.bill_id
),

energy as (
    select
        energy_row.source_system,
        energy_row.bill_id,
        sum(round(energy_row.kwh * price.price, 2)) as amount,
        bool_or(price.price is null) as is_unpriced
    from energy_row
    left join price
        on price.source_system = energy_row.source_system
        and price.bill_id = energy_row.bill_id
        and price.period = energy_row.period
        and price.tier is not distinct from energy_row.tier
    where energy_row.kwh <> 0
    group by energy_row.source_system, energy_row.bill_id
),

-- Two-part tariffs: by capacity, or by demand, of which what exceeds the contract is charged at a higher price.
demand as (
    select
        source_system,
        bill_id,
        contracted,
        max_demand_kw,
        coalesce(max_demand_kw > over_ratio * contracted, false) as is_over,
        over_ratio,
        over_base,
        over_price_ratio,
        case when kwh >= kwh_per_kva * contract_capacity_kva then discount else 1 end as price_ratio
    from (
        select
            basis.*,
            greatest(
                basis.contract_demand_kw,
                basis.contract_capacity_kva * {{ grid_parameter('demand_min_ratio', 'basis.source_system', 'basis.priced_on') }}
            ) as contracted,
            {{ grid_parameter('demand_over_ratio', 'basis.source_system', 'basis.priced_on') }} as over_ratio,
            {{ grid_parameter('demand_over_base', 'basis.source_system', 'basis.priced_on') }} as over_base,
            {{ grid_parameter('demand_over_price_ratio', 'basis.source_system', 'basis.priced_on') }} as over_price_ratio,
            {{ grid_parameter('kwh_per_kva_discount', 'basis.source_system', 'basis.priced_on') }} as kwh_per_kva,
            {{ grid_parameter('demand_discount', 'basis.source_system', 'basis.priced_on') }} as discount
        from basis
        where basis.basic_price_kw is not null
    ) as contract
),

basic as (
    select
        basis.source_system,
        basis.bill_id,
        coalesce(round(basis.contract_capacity_kva * basis.basic_price_kva, 2), 0)
        + coalesce(round(
            case
                when basis.contract_demand_kw is null then demand.max_demand_kw
                when demand.is_over then demand.contracted * demand.over_base
                else demand.contracted
            end * basis.basic_price_kw * demand.price_ratio, 2
        ), 0)
        + case
            when basis.contract_demand_kw is not null and demand.is_over then round(
                (demand.max_demand_kw - demand.contracted * demand.over_ratio)
                * basis.basic_price_kw * demand.price_ratio * demand.over_price_ratio, 2
            )
            else 0
        end as amount
    from basis
    left join demand on demand.source_system = basis.source_system and demand.bill_id = basis.bill_id
),

fund as (
    select basis.source_system, basis.bill_id, sum(round(basis.kwh * fund.price, 2)) as amount
    from basis
    inner join {{ ref('government_fund') }} as fund
        on fund.source_system = basis.source_system
        and fund.usage_class = basis.usage_class
        and basis.priced_on >= fund.valid_from
        and basis.priced_on < fund.valid_to
    group by basis.source_system, basis.bill_id
),

factor as (
    select
        source_system,
        bill_id,
        power_factor_standard,
        priced_on,
        round(kwh / sqrt(kwh * kwh + kvarh * kvarh), 2) as power_factor
    from basis
    where kvarh > 0
        and power_factor_standard is not null
        and contract_capacity_kva >= {{ grid_parameter('pf_min_capacity_kva', 'source_system', 'priced_on') }}
),

adjusted as (
    select
        factor.source_system,
        factor.bill_id,
        factor.power_factor,
        band.rate_at_pivot + (band.pivot - factor.power_factor) * 100 * band.rate_per_hundredth as rate
    from factor
    inner join {{ ref('power_factor_adjustment') }} as band
        on band.standard = factor.power_factor_standard
        and factor.power_factor between band.factor_from and band.factor_to
        and factor.priced_on >= band.valid_from
        and factor.priced_on < band.valid_to
),

recomputed as (
    select
        basis.*,
        energy.is_unpriced,
        adjusted.power_factor,
        adjusted.rate as power_factor_rate,
        coalesce(energy.amount, 0) as energy_amount,
        coalesce(basic.amount, 0) as basic_amount,
        coalesce(fund.amount, 0) as fund_amount,
        coalesce(round((
            select sum(part.amount)
            from (
                values ('energy', energy.amount), ('basic', basic.amount), ('fund', fund.amount)
            ) as part (component, amount)
            inner join {{ ref('grid_bill_component') }} as component
                on component.component = part.component
                and component.in_power_factor_base
                and basis.priced_on >= component.valid_from
                and basis.priced_on < component.valid_to
        ) * adjusted.rate / 100, 2), 0) as power_factor_amount
    from basis
    left join energy on energy.source_system = basis.source_system and energy.bill_id = basis.bill_id
    left join basic on basic.source_system = basis.source_system and basic.bill_id = basis.bill_id
    left join fund on fund.source_system = basis.source_system and fund.bill_id = basis.bill_id
    left join adjusted on adjusted.source_system = basis.source_system and adjusted.bill_id = basis.bill_id
),

-- The lines as printed; components that are not computed again (late fees, 退补) count as billed.
printed_line as (
    select distinct on (line.source_system, line.bill_id, line.line_no)
        line.source_system,
        line.bill_id,
        line.quantity,
        line.price,
        line.amount,
        coalesce(component.is_recomputed, false) as is_recomputed
    from {{ ref('fct_grid_bill') }} as line
    inner join basis on basis.source_system = line.source_system and basis.bill_id = line.bill_id
    left join {{ ref('grid_bill_component') }} as component
        on component.component = line.component
        and basis.priced_on >= component.valid_from
        and basis.priced_on < component.valid_to
    where line.row_sign = 1
    order by line.source_system, line.bill_id, line.line_no, line.known_at desc, line.file_id desc, line.line desc
),

printed as (
    select
        source_system,
        bill_id,
        count(*)::integer as line_count,
        sum(amount) as lines_amount,
        coalesce(sum(amount) filter (where not is_recomputed), 0) as carried_amount,
        max(abs(amount - round(quantity * price, 2))) as worst_line
    from printed_line
    group by source_system, bill_id
),

compared as (
    select
        recomputed.*,
        coalesce(printed.line_count, 0) as line_count,
        coalesce(printed.lines_amount, 0) as lines_amount,
        coalesce(printed.carried_amount, 0) as carried_amount,
        coalesce(printed.worst_line, 0) as worst_line,
        recomputed.energy_amount + recomputed.basic_amount + recomputed.power_factor_amount + recomputed.fund_amount
        + coalesce(printed.carried_amount, 0) as recomputed_amount,
        {{ grid_parameter('row_tolerance', 'recomputed.source_system', 'recomputed.priced_on') }} as row_tolerance,
        {{ grid_parameter('kwh_tolerance', 'recomputed.source_system', 'recomputed.priced_on') }} as kwh_tolerance
    from recomputed
    left join printed on printed.source_system = recomputed.source_system and printed.bill_id = recomputed.bill_id
),

judged as (
    select
        *,
        billed_amount - recomputed_amount as difference,
        line_count * row_tolerance as tolerance,
        coalesce(
            worst_line <= row_tolerance
            and lines_amount = billed_amount
            and abs(billed_kwh - kwh) <= kwh_tolerance
            and abs(billed_amount - recomputed_amount) <= line_count * row_tolerance,
            false
        ) as agrees,
        case
            when lines_amount <> billed_amount then 'lines missing'
            when worst_line > row_tolerance then null
            when is_cancelled then 'cancelled and billed again'
            when supply_contract_key = -1 then 'contract unknown'
            when tariff_key = -1 then 'tariff unknown'
            when coalesce(days_read, 0) < days_to_read then 'readings missing'
            when abs(billed_kwh - kwh) > kwh_tolerance and bill_kind = 'estimated' then 'estimated'
            when abs(billed_kwh - kwh) > kwh_tolerance then null
            when is_unpriced then 'price unknown'
            when is_tiered and not is_tier_year_known then 'tiers of a year that began before the history'
        end as explanation
    from compared
)

select
    source_system,
    controller_id,
    bill_id,
    customer_key,
    service_point_key,
    supply_contract_key,
    tariff_key,
    tariff_version_key,
    billing_month,
    bill_kind,
    is_cancelled,
    billed_kwh,
    kwh::numeric(18,4) as read_kwh,
    energy_amount::numeric(18,2) as energy_amount,
    basic_amount::numeric(18,2) as basic_amount,
    power_factor::numeric(4,2) as power_factor,
    power_factor_rate::numeric(8,4) as power_factor_rate,
    power_factor_amount::numeric(18,2) as power_factor_amount,
    fund_amount::numeric(18,2) as fund_amount,
    carried_amount::numeric(18,2) as carried_amount,
    recomputed_amount::numeric(18,2) as recomputed_amount,
    billed_amount,
    difference::numeric(18,2) as difference,
    tolerance::numeric(10,2) as tolerance,
    line_count,
    case when agrees then 'agrees' when explanation is not null then 'explained' else 'differs' end as check_state,
    case when not agrees then explanation end as explanation,
    known_at
from judged
