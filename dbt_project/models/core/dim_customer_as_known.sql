{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='customer_key',
    pre_hook="{{ take_up(after=['int_customer__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['customer_key']}]
) }}

with version as (
    {{ type2_versions('customer', known='ever') }}
)

select
    version.*
from version
