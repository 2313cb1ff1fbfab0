select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.document_id,
    source_row.submission_no,
    source_row.project_id,
    source_row.document_kind,
    source_row.submitted_at,
    source_row.reviewed_at,
    source_row.reviewer_no as employee_id,
    source_row.is_correct,
    source_row.is_complete,
    source_row.is_feasible,
    {{ lineage() }}
from {{ source('grid_billing', 'design_document') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
