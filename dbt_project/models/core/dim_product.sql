{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='product_key',
    pre_hook="{{ take_up(after=['int_product__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['product_key']}, {'columns': ['source_system', 'product_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('product') }}
)

select
    version.*
from version
