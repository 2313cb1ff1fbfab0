{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'bill_id'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_grid_bill', 'fct_grid_bill_total', 'fct_meter_month', 'dim_service_point', 'dim_supply_contract', 'dim_tariff', 'dim_tariff_period']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['service_point_key']}]
) }}

-- Only bills of service points that were touched, from the first month touched on; prices are those of the last day of the
-- billing month.
with touched as (
    {{ grid_bills_touched() }}
),

known_bill as (
    {{ grid_bills_known('touched') }}
),

bill as (
    select
        *,
        (billing_month + interval '1 month - 1 day')::date as priced_on,
        extract(year from billing_month) as tier_year,
        min(billing_month) over (
            partition by service_point_key, extract(year from billing_month)
        ) as first_month_of_year
    from known_bill
),

year_before as (
    select bill.source_system, bill.bill_id, sum(earlier.kwh) as kwh
    from bill
    inner join bill as earlier
        on earlier.service_point_key = bill.service_point_key
        and earlier.tier_year = bill.tier_year
        and earlier.billing_month < bill.billing_month
        and earlier.issued_on <= bill.issued_on
    group by bill.source_system, bill.bill_id
),

cancelled as (
    select distinct source_system, cancels_bill_id as bill_id
    from known_bill
    where bill_kind = 'cancel'
),

reading as (
    select
        meter_month.service_point_key,
        meter_month.reading_month,
        sum(meter_month.days_read)::integer as days_read,
        sum(meter_month.days_not_read)::integer as days_not_read,
        sum(meter_month.kwh) as kwh,
        sum(meter_month.kwh_sharp) as kwh_sharp,
        sum(meter_month.kwh_peak) as kwh_peak,
        sum(meter_month.kwh_flat) as kwh_flat,
        sum(meter_month.kwh_valley) as kwh_valley,
        sum(meter_month.kvarh) as kvarh,
        max(meter_month.max_demand_kw) as max_demand_kw
    from {{ ref('fct_meter_month') }} as meter_month
    inner join touched
        on touched.service_point_key = meter_month.service_point_key and meter_month.reading_month >= touched.from_month
    group by meter_month.service_point_key, meter_month.reading_month
)

select
    bill.source_system,
    bill.controller_id,
    bill.bill_id,
    bill.customer_key,
    bill.service_point_key,
    coalesce(contract.supply_contract_key, -1) as supply_contract_key,
    coalesce(tariff.tariff_key, -1) as tariff_key,
    coalesce(tariff.tariff_version_key, -1) as tariff_version_key,
    bill.billing_month,
    bill.issued_on,
    bill.priced_on,
    bill.bill_kind,
    bill.cancels_bill_id,
    cancelled.bill_id is not null as is_cancelled,
    bill.kwh as billed_kwh,
    bill.amount as billed_amount,
    tariff.usage_class,
    tariff.is_time_of_use,
    tariff.is_tiered,
    tariff.basic_price_kva,
    tariff.basic_price_kw,
    tariff.power_factor_standard,
    contract.contract_capacity_kva,
    contract.contract_demand_kw,
    coalesce(year_before.kwh, 0)::numeric(18, 4) as kwh_of_year_before,
    bill.first_month_of_year
        <= greatest(date_trunc('year', bill.billing_month), coalesce(date_trunc('month', point.opened_on), date '0001-01-01')) as is_tier_year_known,
    reading.days_read,
    (bill.priced_on - greatest(bill.billing_month, coalesce(point.opened_on, bill.billing_month)) + 1)::integer as days_to_read,
    reading.days_not_read,
    round(reading.kwh, {{ grid_parameter('kwh_scale', 'bill.source_system', 'bill.priced_on') }}::integer)::numeric(18, 4) as kwh,
    reading.kwh_sharp::numeric(18, 4) as kwh_sharp,
    reading.kwh_peak::numeric(18, 4) as kwh_peak,
    reading.kwh_flat::numeric(18, 4) as kwh_flat,
    reading.kwh_valley::numeric(18, 4) as kwh_valley,
    reading.kvarh::numeric(18, 4) as kvarh,
    reading.max_demand_kw::numeric(14, 4) as max_demand_kw,
    bill.known_at
from bill
left join year_before on year_before.source_system = bill.source_system and year_before.bill_id = bill.bill_id
left join cancelled on cancelled.source_system = bill.source_system and cancelled.bill_id = bill.bill_id
left join reading
    on reading.service_point_key = bill.service_point_key and reading.reading_month = bill.billing_month
left join {{ ref('dim_service_point') }} as point
    on point.service_point_key = bill.service_point_key
    and bill.priced_on >= point.valid_from
    and bill.priced_on < point.covers_to
{{ join_version('supply_contract', 'contract', 'bill.source_system', 'bill.supply_contract_id', 'bill.priced_on') }}
{{ join_version('tariff', 'tariff', 'contract.source_system', 'contract.tariff_id', 'bill.priced_on') }}
where bill.bill_kind <> 'cancel' and bill.billing_month >= bill.from_month
