select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.usage_date,
    source_row.employee_id,
    source_row.system_id,
    source_row.system_version,
    source_row.login_count,
    source_row.minutes_used,
    {{ lineage() }}
from {{ source('core_banking', 'system_usage') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
