select
    'card' as source_system,
    {{ controller_of('card') }} as controller_id,
    source_row.authorisation_id,
    source_row.card_id,
    source_row.authorised_at,
    source_row.amount,
    source_row.currency,
    source_row.mcc,
    source_row.merchant_id,
    source_row.merchant_name,
    source_row.entry_mode,
    source_row.response_code,
    source_row.is_approved,
    {{ lineage() }}
from {{ source('card', 'authorisation') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
