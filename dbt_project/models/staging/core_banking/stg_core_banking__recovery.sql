select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.recovery_id,
    source_row.default_id,
    source_row.loan_id,
    source_row.recovered_on,
    source_row.amount,
    source_row.cost,
    source_row.recovery_kind,
    {{ lineage() }}
from {{ source('core_banking', 'recovery') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
