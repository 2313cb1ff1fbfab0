select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.pool_id as cash_pool_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.header_account_id,
    source_row.pool_kind,
    source_row.currency,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('core_banking', 'cash_pool') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
