select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.plan_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.owner_kind,
    source_row.owner_no as owner_id,
    source_row.plan_year,
    source_row.plan_version,
    source_row.in_force_from,
    source_row.annual_cases,
    source_row.set_by,
    source_row.approved_by,
    source_row.approved_on,
    source_row.note,
    {{ lineage() }}
from {{ source('retail', 'plan') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
