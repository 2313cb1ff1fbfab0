select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.limit_id as credit_limit_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.customer_id,
    source_row.limit_type,
    source_row.amount,
    source_row.currency,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('core_banking', 'credit_limit') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
