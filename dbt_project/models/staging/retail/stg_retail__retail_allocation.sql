select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.retailer_no as customer_id,
    source_row.brand_id,
    source_row.delivery_date,
    source_row.told_on,
    source_row.allocated_cases,
    source_row.ordered_cases,
    source_row.delivered_cases,
    {{ lineage() }}
from {{ source('retail', 'allocation') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
