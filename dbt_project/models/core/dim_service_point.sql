{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='service_point_key',
    pre_hook="{{ take_up(after=['int_service_point__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['service_point_key']}, {'columns': ['source_system', 'service_point_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('service_point') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key
from version
