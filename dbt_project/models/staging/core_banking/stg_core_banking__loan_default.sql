select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.default_id,
    source_row.loan_id,
    source_row.defaulted_on,
    source_row.days_past_due,
    source_row.exposure,
    source_row.cured_on,
    {{ lineage() }}
from {{ source('core_banking', 'loan_default') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
