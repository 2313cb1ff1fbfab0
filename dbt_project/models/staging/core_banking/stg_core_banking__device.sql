select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.device_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.organisation_id,
    source_row.device_type,
    source_row.installed_on,
    source_row.removed_on,
    source_row.status,
    {{ lineage() }}
from {{ source('core_banking', 'self_service_device') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
