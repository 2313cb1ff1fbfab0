select
    'card' as source_system,
    {{ controller_of('card') }} as controller_id,
    source_row.dispute_id,
    source_row.posting_id as transaction_id,
    source_row.opened_on,
    source_row.reason,
    source_row.amount,
    source_row.state,
    source_row.closed_on,
    {{ lineage() }}
from {{ source('card', 'dispute') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
