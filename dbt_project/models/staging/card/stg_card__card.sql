select
    'card' as source_system,
    {{ controller_of('card') }} as controller_id,
    source_row.card_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.card_no,
    source_row.card_account_id,
    source_row.cardholder_id as customer_id,
    null as account_id,
    source_row.card_kind,
    source_row.brand,
    source_row.card_level,
    source_row.product_id,
    source_row.is_main_card,
    source_row.issued_on,
    source_row.activated_on,
    source_row.expires_on,
    source_row.status,
    {{ lineage() }}
from {{ source('card', 'card') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
