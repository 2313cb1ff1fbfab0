{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='service_subscription_key',
    pre_hook="{{ take_up(after=['int_service_subscription__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[
        {'columns': ['service_subscription_key']},
        {'columns': ['source_system', 'service_subscription_id']},
        {'columns': ['known_from']},
    ]
) }}

with version as (
    {{ type2_versions('service_subscription') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key,
    {{ member_key('product', 'version.source_system', 'version.product_id') }} as product_key
from version
