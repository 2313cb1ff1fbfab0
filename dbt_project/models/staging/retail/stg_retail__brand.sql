select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.brand_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.brand_name,
    source_row.manufacturer,
    source_row.origin,
    source_row.is_key,
    source_row.is_cultivated,
    source_row.price_class,
    source_row.wholesale_price,
    source_row.retail_price,
    source_row.listed_on,
    source_row.withdrawn_on,
    {{ lineage() }}
from {{ source('retail', 'brand') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
