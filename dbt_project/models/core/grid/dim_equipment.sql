{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='equipment_key',
    pre_hook="{{ take_up(after=['int_equipment__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['equipment_key']}, {'columns': ['source_system', 'equipment_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('equipment') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key
from version
