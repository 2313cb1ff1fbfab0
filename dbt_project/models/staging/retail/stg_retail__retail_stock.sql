select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.retailer_no as customer_id,
    source_row.brand_id,
    source_row.counted_at,
    source_row.manager_no as employee_id,
    source_row.device_id,
    source_row.uploaded_at,
    source_row.stock_cases,
    source_row.sold_out_cases,
    {{ lineage() }}
from {{ source('retail', 'stock_count') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
