select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.currency,
    source_row.quote_currency,
    source_row.rate_type,
    source_row.rate_date,
    source_row.units,
    source_row.rate,
    {{ lineage() }}
from {{ source('core_banking', 'exchange_rate') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
