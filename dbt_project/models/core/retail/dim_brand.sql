{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='brand_key',
    pre_hook="{{ take_up(after=['int_brand__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['brand_key']}, {'columns': ['source_system', 'brand_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('brand') }}
)

select
    version.*
from version
