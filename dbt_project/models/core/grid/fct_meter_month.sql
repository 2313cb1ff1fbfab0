{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['meter_key', 'service_point_key', 'reading_month'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_energy_daily', 'dim_meter']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['service_point_key', 'reading_month']}]
) }}

-- depends_on: {{ ref('int_meter__changes') }}
{%- for feed in feed_models('energy_daily') %}
-- depends_on: {{ ref(feed_name(feed)) }}
{%- endfor %}
-- A month is computed when it is over, and again for the meters of which a reading or a change arrives later; the reading of
-- its eve is one of them.
with closed as (
    select
        source_system,
        date_trunc('month', last_business_date + 1)::date as open_month
        {%- if is_incremental() %},
        coalesce((
            select (max(done.reading_month) + interval '1 month')::date
            from {{ this }} as done
            where done.source_system = dim_source_system.source_system
        ), date '0001-01-01') as next_month
        {%- endif %}
    from {{ ref('dim_source_system') }}
    where source_system in (select source_system from {{ ref('dim_meter') }})
),

touched as (
    {%- if is_incremental() %}
    select
        {{ member_key('service_point', 'arrived.source_system', 'arrived.service_point_id') }} as service_point_key,
        arrived.meter_id,
        month.reading_month
    from ({{ union_feeds('energy_daily', where='file_id = any(' ~ pending_files() ~ ')') }}) as arrived
    cross join lateral (
        values (date_trunc('month', arrived.reading_date)::date), (date_trunc('month', arrived.reading_date + 1)::date)
    ) as month (reading_month)
    inner join closed on closed.source_system = arrived.source_system and month.reading_month < closed.open_month
    union
    select known.service_point_key, known.meter_id, known.reading_month
    from {{ this }} as known
    inner join {{ ref('int_meter__changes') }} as changed on changed.meter_key = known.meter_key
    where changed.file_id = any({{ pending_files() }})
    union
    select reading.service_point_key, reading.meter_id, date_trunc('month', reading.reading_date)::date
    from {{ ref('fct_energy_daily') }} as reading
    inner join closed
        on closed.source_system = reading.source_system
        and reading.reading_date >= closed.next_month
        and reading.reading_date < closed.open_month
    where reading.reading_date >= (select min(span.next_month) from closed as span)
        and reading.reading_date < (select max(span.open_month) from closed as span)
    {%- else %}
    select distinct reading.service_point_key, reading.meter_id, date_trunc('month', reading.reading_date)::date as reading_month
    from {{ ref('fct_energy_daily') }} as reading
    inner join closed on closed.source_system = reading.source_system and reading.reading_date < closed.open_month
    {%- endif %}
),

-- A reading belongs to its month, that of the last day is the eve of the next one too. Of one that was corrected the last
-- one sent counts.
reading as (
    select distinct on (daily.service_point_key, daily.meter_id, part.reading_month, daily.reading_date)
        daily.source_system,
        daily.controller_id,
        daily.service_point_key,
        daily.service_point_id,
        daily.meter_id,
        daily.reading_date,
        daily.register_total,
        daily.kwh,
        daily.kwh_sharp,
        daily.kwh_peak,
        daily.kwh_flat,
        daily.kwh_valley,
        daily.kvarh,
        daily.max_demand_kw,
        daily.quality,
        daily.known_at,
        part.reading_month,
        part.is_eve
    from {{ ref('fct_energy_daily') }} as daily
    cross join lateral (
        values
            (date_trunc('month', daily.reading_date)::date, false),
            (date_trunc('month', daily.reading_date + 1)::date, true)
    ) as part (reading_month, is_eve)
    inner join touched
        on touched.service_point_key = daily.service_point_key
        and touched.meter_id = daily.meter_id
        and touched.reading_month = part.reading_month
    where daily.row_sign = 1 and (not part.is_eve or part.reading_month > daily.reading_date)
        {%- if is_incremental() %}
        and daily.reading_date >= (select min(span.reading_month) - 1 from touched as span)
        and daily.reading_date < (select max(span.reading_month) + interval '1 month' from touched as span)
        {%- endif %}
    order by
        daily.service_point_key, daily.meter_id, part.reading_month, daily.reading_date,
        daily.known_at desc, daily.file_id desc, daily.line desc
),

in_month as (
    select
        source_system,
        controller_id,
        service_point_key,
        service_point_id,
        meter_id,
        reading_month,
        min(reading_date) filter (where not is_eve) as first_read_on,
        max(reading_date) filter (where not is_eve) as last_read_on,
        (count(*) filter (where not is_eve))::integer as days_read,
        (count(*) filter (where not is_eve and quality <> 'actual'))::integer as days_not_read,
        max(register_total) filter (where is_eve) as eve_register,
        (min(array[reading_date - reading_month, register_total]) filter (where not is_eve))[2] as first_register,
        (max(array[reading_date - reading_month, register_total]) filter (where not is_eve))[2] as end_register,
        (min(array[reading_date - reading_month, kwh]) filter (where not is_eve))[2] as first_kwh,
        coalesce(sum(kwh) filter (where not is_eve), 0) as kwh,
        sum(kwh_sharp) filter (where not is_eve) as kwh_sharp,
        sum(kwh_peak) filter (where not is_eve) as kwh_peak,
        sum(kwh_flat) filter (where not is_eve) as kwh_flat,
        sum(kwh_valley) filter (where not is_eve) as kwh_valley,
        sum(kvarh) filter (where not is_eve) as kvarh,
        max(max_demand_kw) filter (where not is_eve) as max_demand_kw,
        max(known_at) as known_at
    from reading
    group by source_system, controller_id, service_point_key, service_point_id, meter_id, reading_month
    having count(*) filter (where not is_eve) > 0
),

-- The register before the month: of its eve, else of the installation, else the first one that was read. The meter is taken
-- as of the day after, on which the last register (24:00) was read: a removal is known from then on.
registered as (
    select
        in_month.*,
        meter.multiplier,
        meter.removed_on,
        meter.end_reading,
        power(10::numeric, meter.register_digits) as register_modulus,
        meter.installed_on = in_month.first_read_on as is_installed,
        case
            when in_month.eve_register is not null and in_month.first_read_on = in_month.reading_month then in_month.eve_register
            when meter.installed_on = in_month.first_read_on then meter.start_reading
            else in_month.first_register
        end as begin_register,
        in_month.kwh - case
            when in_month.eve_register is not null and in_month.first_read_on = in_month.reading_month then 0
            when meter.installed_on = in_month.first_read_on then 0
            else in_month.first_kwh
        end as kwh_of_span,
        {{ grid_parameter('register_near_end', 'in_month.source_system', 'in_month.reading_month') }} as near_end,
        {{ grid_parameter('kwh_tolerance', 'in_month.source_system', 'in_month.reading_month') }} as kwh_tolerance
    from in_month
    left join {{ ref('dim_meter') }} as meter
        on meter.source_system = in_month.source_system
        and meter.meter_id = in_month.meter_id
        and in_month.last_read_on + 1 >= meter.valid_from
        and in_month.last_read_on + 1 < meter.covers_to
),

turned as (
    select
        *,
        end_register < begin_register and begin_register >= near_end * register_modulus as has_rolled_over
    from registered
),

measured as (
    select
        *,
        (end_register - begin_register + case when has_rolled_over then register_modulus else 0 end) * multiplier
            as kwh_by_register
    from turned
)

select
    source_system,
    controller_id,
    {{ member_key('meter', 'source_system', 'meter_id') }} as meter_key,
    service_point_key,
    meter_id,
    service_point_id,
    reading_month,
    first_read_on,
    last_read_on,
    days_read,
    days_not_read,
    coalesce(is_installed, false) as is_installed,
    coalesce(removed_on = last_read_on + 1, false) as is_removed,
    begin_register::numeric(14, 2) as begin_register,
    end_register::numeric(14, 2) as end_register,
    coalesce(has_rolled_over, false) as has_rolled_over,
    multiplier::numeric(12, 4) as multiplier,
    kwh::numeric(18, 4) as kwh,
    kwh_sharp::numeric(18, 4) as kwh_sharp,
    kwh_peak::numeric(18, 4) as kwh_peak,
    kwh_flat::numeric(18, 4) as kwh_flat,
    kwh_valley::numeric(18, 4) as kwh_valley,
    kvarh::numeric(18, 4) as kvarh,
    max_demand_kw::numeric(14, 4) as max_demand_kw,
    kwh_by_register::numeric(20, 6) as kwh_by_register,
    kwh_of_span::numeric(18, 4) as kwh_of_span,
    case
        when multiplier is null then 'meter unknown'
        when days_read < last_read_on - first_read_on + 1 then 'days missing'
        when end_register < begin_register and not has_rolled_over then 'register fell'
        when abs(kwh_by_register - kwh_of_span) > kwh_tolerance then 'differs'
        when removed_on = last_read_on + 1 and end_reading <> end_register then 'removed at another reading'
        else 'agrees'
    end as register_state,
    known_at
from measured
