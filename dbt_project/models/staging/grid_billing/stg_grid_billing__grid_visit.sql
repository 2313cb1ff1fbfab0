select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.visit_id,
    source_row.consumer_no as customer_id,
    source_row.employee_no as employee_id,
    source_row.visited_at,
    source_row.problem,
    source_row.solve_by,
    source_row.solved_on,
    {{ lineage() }}
from {{ source('grid_billing', 'visit') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
