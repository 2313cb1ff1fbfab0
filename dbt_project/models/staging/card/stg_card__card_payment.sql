select
    'card' as source_system,
    {{ controller_of('card') }} as controller_id,
    source_row.payment_id,
    source_row.card_account_id,
    source_row.paid_on,
    source_row.amount,
    source_row.currency,
    source_row.source_account,
    source_row.channel_id,
    {{ lineage() }}
from {{ source('card', 'payment') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
