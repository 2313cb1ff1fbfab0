select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    'patrol' as record_kind,
    source_row.patrol_id as record_id,
    source_row.consumer_no as customer_id,
    null as project_id,
    source_row.employee_no as employee_id,
    source_row.device_no as device_id,
    source_row.patrolled_at as recorded_at,
    source_row.uploaded_at,
    source_row.finding,
    source_row.recovered_kwh,
    coalesce(trim(source_row.note), '') <> '' as has_note,
    null as problem,
    null as solve_by,
    null as solved_on,
    {{ lineage() }}
from {{ source('grid_billing', 'patrol') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
