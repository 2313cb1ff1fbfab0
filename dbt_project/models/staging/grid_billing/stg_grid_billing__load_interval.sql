-- One row of raw holds a day of values; the n-th value is the energy of the n-th interval of the day.
select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.service_point_id,
    source_row.meter_id,
    source_row.reading_date,
    source_row.reading_date + make_interval(mins => source_row.interval_minutes * (point.position::integer - 1)) as interval_start,
    source_row.interval_minutes,
    point.kwh,
    null as controlled_load_kwh,
    null as gross_generation_kwh,
    null as net_generation_kwh,
    null as other_kwh,
    source_row.quality,
    {{ lineage() }}
from {{ source('grid_billing', 'load_curve') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
cross join unnest(source_row.readings) with ordinality as point (kwh, position)
