-- A product is a scheme and a kind of card, as the file of cards has them.
select
    'tabformer' as source_system,
    {{ controller_of('tabformer') }} as controller_id,
    source_row.card_brand || ' ' || source_row.card_type as product_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.card_brand || ' ' || source_row.card_type as product_name,
    'card' as product_line,
    source_row.card_type as product_category,
    'USD' as currency,
    null as risk_level,
    null as is_guaranteed,
    null as term_months,
    null as launched_on,
    null as withdrawn_on,
    {{ lineage() }}
from (
    select _file_id, card_brand, card_type, min(_line) as _line
    from {{ source('tabformer', 'card') }}
    group by _file_id, card_brand, card_type
) as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
