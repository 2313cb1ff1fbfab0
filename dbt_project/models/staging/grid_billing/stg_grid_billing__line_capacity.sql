select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.line_id,
    source_row.month as capacity_month,
    source_row.max_load_kw,
    source_row.open_capacity_kva,
    {{ lineage() }}
from {{ source('grid_billing', 'line_capacity_month') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
