select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.target_id as kpi_target_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.kpi_id,
    source_row.owner_kind,
    source_row.owner_id,
    source_row.period_month,
    source_row.target_value,
    source_row.unit,
    source_row.set_by,
    source_row.approved_by,
    {{ lineage() }}
from {{ source('core_banking', 'manager_target') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
