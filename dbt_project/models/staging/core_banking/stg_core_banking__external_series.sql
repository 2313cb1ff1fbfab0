select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.customer_id,
    source_row.series,
    source_row.series_month,
    source_row.value as series_value,
    source_row.unit,
    source_row.provider,
    {{ lineage() }}
from {{ source('core_banking', 'external_series') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
