select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.score_id as kpi_score_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.employee_id,
    source_row.kpi_id,
    source_row.period_month,
    source_row.score,
    source_row.scored_by,
    source_row.note,
    {{ lineage() }}
from {{ source('core_banking', 'manager_score') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
