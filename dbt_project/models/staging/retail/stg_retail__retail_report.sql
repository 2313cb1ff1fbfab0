select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.report_no,
    source_row.organisation_id,
    source_row.period_kind,
    source_row.as_of,
    source_row.scope,
    source_row.figure,
    source_row.printed_value,
    source_row.decimals,
    {{ lineage() }}
from {{ source('retail', 'reported_figure') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
