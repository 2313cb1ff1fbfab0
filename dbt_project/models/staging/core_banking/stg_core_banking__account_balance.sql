select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.account_id,
    source_row.balance_date,
    source_row.balance,
    source_row.currency,
    {{ lineage() }}
from {{ source('core_banking', 'account_balance') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
