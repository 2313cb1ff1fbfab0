-- A card is known by its cardholder and its number among his cards. It is valid to the end of the month of expiry.
select
    'tabformer' as source_system,
    {{ controller_of('tabformer') }} as controller_id,
    source_row.user_no || '-' || source_row.card_index as card_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.card_number as card_no,
    source_row.user_no || '-' || source_row.card_index as card_account_id,
    source_row.user_no::text as customer_id,
    null as account_id,
    case source_row.card_type
        when 'Credit' then 'credit'
        when 'Debit' then 'debit'
        when 'Debit (Prepaid)' then 'prepaid'
    end as card_kind,
    case when source_row.card_brand in ('Visa', 'Mastercard', 'Amex') then lower(source_row.card_brand) else 'other' end as brand,
    null as card_level,
    source_row.card_brand || ' ' || source_row.card_type as product_id,
    null as is_main_card,
    null as issued_on,
    null as activated_on,
    (to_date(source_row.expires, 'MM/YYYY') + interval '1 month - 1 day')::date as expires_on,
    case
        when to_date(source_row.expires, 'MM/YYYY') + interval '1 month' <= loaded.business_date then 'inactive'
        else 'active'
    end as status,
    {{ lineage() }}
from {{ source('tabformer', 'card') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
