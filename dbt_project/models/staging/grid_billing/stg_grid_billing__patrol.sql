select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.patrol_id,
    source_row.consumer_no as customer_id,
    source_row.employee_no as employee_id,
    source_row.patrolled_at,
    source_row.finding,
    source_row.recovered_kwh,
    source_row.note,
    {{ lineage() }}
from {{ source('grid_billing', 'patrol') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
