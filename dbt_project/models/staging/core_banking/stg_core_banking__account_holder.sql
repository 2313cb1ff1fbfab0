select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.holder_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.account_id,
    source_row.customer_id,
    source_row.holder_role,
    source_row.share,
    {{ lineage() }}
from {{ source('core_banking', 'account_holder') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
