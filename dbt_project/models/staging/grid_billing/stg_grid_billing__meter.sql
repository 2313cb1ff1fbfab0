select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.meter_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.service_point_id,
    source_row.multiplier,
    source_row.register_digits,
    source_row.installed_on,
    source_row.start_reading,
    source_row.removed_on,
    source_row.end_reading,
    source_row.has_load_curve,
    {{ lineage() }}
from {{ source('grid_billing', 'meter') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
