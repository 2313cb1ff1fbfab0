{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'bill_id'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_grid_bill_basis']) }}",
    post_hook="{{ analyze_grown() }}"
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
        priced.tariff_key,
        priced.priced_on,
        period.period,
        coalesce(period.tier, 0) as tier,
        min(period.price) as price,
        min(coalesce(period.kwh_from, 0)) as kwh_from,
        max(period.kwh_to) as kwh_to
    from (select distinct tariff_key, priced_on from basis) as priced
    inner join {{ ref('dim_tariff_period') }} as period
        on period.tariff_key = priced.tariff_key
        and priced.priced_on >= period.valid_from
        and priced.priced_on < period.valid_to
        and case
            when period.month_from <= period.month_to
                then extract(month from priced.priced_on) between period.month_from and period.month_to
            else extract(month from priced.priced_on) >= period.month_from
                or extract(month from priced.priced_on) <= period.month_to
        end
    where period.tariff_period_key > 0
    group by priced.tariff_key, priced.priced_on, period.period, period.tier
),

-- What the registers of the periods do not tell goes to flat, or to valley where the tariff has no flat price.
priced_period as (
    select
        *,
        period = case
            when bool_or(period = 'flat') over (partition by tariff_key, priced_on) then 'flat'
            else 'valley'
        end as takes_the_rest
    from price
),

-- A tier holds the part of the month between its limits, counted on from what was used in the year before.
energy_row as (
    select
        basis.source_system,
        basis.bill_id,
        priced_period.tier,
        priced_period.price,
        priced_period.takes_the_rest,
        basis.kwh as kwh_of_month,
        least(greatest(priced_period.kwh_from - basis.kwh_of_year_before, 0), basis.kwh) as kwh_before,
        least(greatest(coalesce(priced_period.kwh_to, 'infinity') - basis.kwh_of_year_before, 0), basis.kwh) as kwh_to_here,
        case
            when not basis.is_time_of_use then 0
            when priced_period.period = 'sharp' then coalesce(basis.kwh_sharp, 0)
            when priced_period.period = 'peak' then coalesce(basis.kwh_peak, 0)
            when priced_period.period = 'flat' then coalesce(basis.kwh_flat, 0)
            when priced_period.period = 'valley' then coalesce(basis.kwh_valley, 0)
            else 0
        end as kwh_of_period
    from basis
    inner join priced_period
        on priced_period.tariff_key = basis.tariff_key and priced_period.priced_on = basis.priced_on
    where basis.kwh > 0
),

-- Periods share the tiers in proportion to the month, counted from the first tier on, so that they add up.
shared as (
    select
        *,
        case
            when takes_the_rest then 0
            else
                case
                    when kwh_to_here = kwh_of_month then kwh_of_period
                    else round(kwh_to_here * kwh_of_period / kwh_of_month, 4)
                end - case
                    when kwh_before = kwh_of_month then kwh_of_period
                    else round(kwh_before * kwh_of_period / kwh_of_month, 4)
                end
        end as kwh
    from energy_row
),

energy as (
    select source_system, bill_id, sum(round(kwh * price, 2)) as amount
    from (
        select
            source_system,
            bill_id,
            price,
            case
                when takes_the_rest
                    then kwh_to_here - kwh_before - sum(kwh) over (partition by source_system, bill_id, tier)
                else kwh
            end as kwh
        from shared
    ) as billed
    group by source_system, bill_id
),

ruled as (
    select
        basis.*,
        coalesce(energy.amount, 0) as energy_amount,
        greatest(
            basis.contract_demand_kw,
            basis.contract_capacity_kva * {{ grid_parameter('demand_min_ratio', 'basis.source_system', 'basis.priced_on') }}
        ) as contracted_kw,
        {{ grid_parameter('demand_over_ratio', 'basis.source_system', 'basis.priced_on') }} as over_ratio,
        {{ grid_parameter('demand_over_base', 'basis.source_system', 'basis.priced_on') }} as over_base,
        {{ grid_parameter('demand_over_price_ratio', 'basis.source_system', 'basis.priced_on') }} as over_price_ratio,
        case
            when basis.kwh >= basis.contract_capacity_kva
                * {{ grid_parameter('kwh_per_kva_discount', 'basis.source_system', 'basis.priced_on') }}
                then {{ grid_parameter('demand_discount', 'basis.source_system', 'basis.priced_on') }}
            else 1
        end as demand_price_ratio,
        case
            when basis.kvarh > 0
                and basis.power_factor_standard is not null
                and basis.contract_capacity_kva
                    >= {{ grid_parameter('pf_min_capacity_kva', 'basis.source_system', 'basis.priced_on') }}
                then round(basis.kwh / sqrt(basis.kwh * basis.kwh + basis.kvarh * basis.kvarh), 2)
        end as power_factor,
        coalesce((
            select sum(round(basis.kwh * fund.price, 2))
            from {{ ref('government_fund') }} as fund
            where fund.source_system = basis.source_system
                and fund.usage_class = basis.usage_class
                and basis.priced_on >= fund.valid_from
                and basis.priced_on < fund.valid_to
        ), 0) as fund_amount
    from basis
    left join energy on energy.source_system = basis.source_system and energy.bill_id = basis.bill_id
),

-- Two-part tariffs: by capacity, or by demand, of which what exceeds the contract is charged at a higher price.
charged as (
    select
        *,
        coalesce(round(contract_capacity_kva * basic_price_kva, 2), 0)
        + coalesce(round(
            case
                when contract_demand_kw is null then max_demand_kw
                when max_demand_kw > over_ratio * contracted_kw then over_base * contracted_kw
                else contracted_kw
            end * basic_price_kw * demand_price_ratio, 2
        ), 0)
        + case
            when contract_demand_kw is not null and max_demand_kw > over_ratio * contracted_kw
                then coalesce(round(
                    (max_demand_kw - over_ratio * contracted_kw) * basic_price_kw * demand_price_ratio * over_price_ratio, 2
                ), 0)
            else 0
        end as basic_amount
    from ruled
),

adjusted as (
    select
        charged.*,
        band.rate_at_pivot + (band.pivot - charged.power_factor) * 100 * band.rate_per_hundredth as power_factor_rate
    from charged
    left join {{ ref('power_factor_adjustment') }} as band
        on band.standard = charged.power_factor_standard
        and charged.power_factor between band.factor_from and band.factor_to
        and charged.priced_on >= band.valid_from
        and charged.priced_on < band.valid_to
),

recomputed as (
    select
        *,
        coalesce(round(power_factor_rate / 100 * (
            select sum(part.amount)
            from (
                values
                    ('energy', adjusted.energy_amount), ('basic', adjusted.basic_amount), ('fund', adjusted.fund_amount)
            ) as part (component, amount)
            inner join {{ ref('grid_bill_component') }} as component
                on component.component = part.component
                and component.in_power_factor_base
                and adjusted.priced_on >= component.valid_from
                and adjusted.priced_on < component.valid_to
        ), 2), 0) as power_factor_amount
    from adjusted
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
    kwh::numeric(18, 4) as read_kwh,
    energy_amount::numeric(18, 2) as energy_amount,
    basic_amount::numeric(18, 2) as basic_amount,
    power_factor::numeric(4, 2) as power_factor,
    power_factor_rate::numeric(8, 4) as power_factor_rate,
    power_factor_amount::numeric(18, 2) as power_factor_amount,
    fund_amount::numeric(18, 2) as fund_amount,
    carried_amount::numeric(18, 2) as carried_amount,
    recomputed_amount::numeric(18, 2) as recomputed_amount,
    billed_amount,
    difference::numeric(18, 2) as difference,
    tolerance::numeric(10, 2) as tolerance,
    line_count,
    case when agrees then 'agrees' when explanation is not null then 'explained' else 'differs' end as check_state,
    case when not agrees then explanation end as explanation,
    known_at
from judged
