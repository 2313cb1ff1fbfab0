select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.transformer_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.line_id,
    source_row.capacity_kva,
    source_row.is_public,
    source_row.commissioned_on,
    {{ lineage() }}
from {{ source('grid_billing', 'transformer') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
