select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.employee_no as employee_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.employee_name,
    source_row.organisation_id,
    case source_row.post when 'customer_manager' then 'retail_manager' else source_row.post end as position,
    concat_ws(' ', source_row.grade, source_row.step) as manager_grade,
    null as qualification,
    source_row.mobile,
    source_row.hired_on,
    source_row.left_on,
    {{ lineage() }}
from {{ source('retail', 'employee') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
