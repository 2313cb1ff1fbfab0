select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    'visit' as record_kind,
    source_row.visit_id as record_id,
    source_row.consumer_no as customer_id,
    source_row.project_id,
    source_row.employee_no as employee_id,
    source_row.device_no as device_id,
    source_row.visited_at as recorded_at,
    source_row.uploaded_at,
    case when source_row.problem is null then 'none' else 'problem' end as finding,
    null as recovered_kwh,
    coalesce(trim(source_row.problem), '') <> '' as has_note,
    source_row.problem,
    source_row.solve_by,
    source_row.solved_on,
    {{ lineage() }}
from {{ source('grid_billing', 'visit') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
