select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.employee_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.employee_name,
    source_row.organisation_id,
    source_row.position,
    source_row.manager_grade,
    source_row.qualification,
    source_row.mobile,
    source_row.hired_on,
    source_row.left_on,
    {{ lineage() }}
from {{ source('core_banking', 'employee') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
