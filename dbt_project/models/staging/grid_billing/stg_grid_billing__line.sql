select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.line_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.line_name,
    source_row.substation,
    source_row.voltage_level,
    source_row.conductor_section_mm2,
    source_row.capacity_kva,
    {{ lineage() }}
from {{ source('grid_billing', 'line') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
