-- A card belongs to a disposition, that is to one client's right over one account. Numbers of cards are not sent.
with disposition as (
    select
        loaded.batch_id,
        source_row.disp_id,
        source_row.client_id,
        source_row.account_id
    from {{ source('berka', 'disp') }} as source_row
    inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
)

select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    source_row.card_id::text as card_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    null as card_no,
    null as card_account_id,
    disposition.client_id::text as customer_id,
    disposition.account_id::text as account_id,
    'credit' as card_kind,
    null as brand,
    source_row.type as card_level,
    'CARD ' || source_row.type as product_id,
    null as is_main_card,
    source_row.issued::date as issued_on,
    null as activated_on,
    null as expires_on,
    'active' as status,
    {{ lineage() }}
from {{ source('berka', 'card') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
left join disposition
    on disposition.batch_id = loaded.batch_id and disposition.disp_id = source_row.disp_id
