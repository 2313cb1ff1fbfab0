{{ config(materialized='view') }}

select
    product.product_key,
    product.source_system,
    product.controller_id,
    product.product_id,
    product.product_line,
    product.product_category,
    coalesce(listed.business_type, 'unknown') as business_type,
    coalesce(listed.liquidity, 'not applicable') as liquidity,
    coalesce(listed.wealth_function, 'not applicable') as wealth_function
from {{ ref('dim_product') }} as product
left join {{ ref('product_classification') }} as listed
    on listed.product_line = product.product_line
    and listed.product_category = product.product_category
where product.is_current
