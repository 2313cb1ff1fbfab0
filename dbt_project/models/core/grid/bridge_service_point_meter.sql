{{ config(post_hook="analyze {{ this }}") }}

-- Which meter stood at a service point on which days; a replacement takes up where the meter before was removed.
with installation as (
    select distinct on (meter.source_system, meter.meter_id, meter.service_point_key, meter.installed_on)
        meter.source_system,
        meter.controller_id,
        meter.service_point_key,
        meter.meter_key,
        meter.service_point_id,
        meter.meter_id,
        meter.installed_on as valid_from,
        coalesce(meter.removed_on, date '9999-12-31') as valid_to,
        meter.multiplier,
        meter.start_reading,
        meter.end_reading
    from {{ ref('dim_meter') }} as meter
    where meter.meter_key > 0 and not meter.is_inferred and meter.installed_on < coalesce(meter.removed_on, date '9999-12-31')
    order by meter.source_system, meter.meter_id, meter.service_point_key, meter.installed_on, meter.valid_from desc
)

select
    installation.*,
    (row_number() over at_point)::integer as installation_no,
    coalesce(lag(meter_key) over at_point, -2) as replaces_meter_key,
    valid_from - lag(valid_to) over at_point as days_without_meter
from installation
window at_point as (partition by service_point_key order by valid_from, meter_id)
