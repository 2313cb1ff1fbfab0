select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.retailer_no as customer_id,
    source_row.brand_id,
    source_row.sale_date,
    source_row.manager_no as employee_id,
    source_row.cases,
    source_row.amount,
    {{ lineage() }}
from {{ source('retail', 'sale') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
