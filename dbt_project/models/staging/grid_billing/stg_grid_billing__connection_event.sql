select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.project_id,
    source_row.event_no,
    case source_row.stage
        when 'design_review' then 'drawing_review'
        when 'inspection' then 'acceptance'
        else source_row.stage
    end as stage_id,
    source_row.event,
    source_row.event_at,
    source_row.department,
    source_row.employee_no as employee_id,
    source_row.note,
    {{ lineage() }}
from {{ source('grid_billing', 'connection_stage') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
