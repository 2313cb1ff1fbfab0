select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.equipment_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.consumer_no as customer_id,
    source_row.equipment_kind,
    source_row.rated_capacity,
    source_row.installed_on,
    source_row.removed_on,
    {{ lineage() }}
from {{ source('grid_billing', 'equipment') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
