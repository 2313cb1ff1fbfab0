select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.assignment_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.customer_id,
    source_row.employee_id,
    source_row.assignment_role,
    source_row.share,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('core_banking', 'manager_assignment') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
