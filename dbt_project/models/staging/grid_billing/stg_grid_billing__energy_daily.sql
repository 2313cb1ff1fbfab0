select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.service_point_id,
    source_row.meter_id,
    source_row.reading_date,
    source_row.register_total,
    source_row.kwh,
    source_row.kwh_sharp,
    source_row.kwh_peak,
    source_row.kwh_flat,
    source_row.kwh_valley,
    source_row.kvarh,
    source_row.max_demand_kw,
    source_row.quality,
    {{ lineage() }}
from {{ source('grid_billing', 'daily_reading') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
