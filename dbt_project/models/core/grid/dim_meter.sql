{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='meter_key',
    pre_hook="{{ take_up(after=['int_meter__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['meter_key']}, {'columns': ['source_system', 'meter_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('meter') }}
)

select
    version.*,
    {{ member_key('service_point', 'version.source_system', 'version.service_point_id') }} as service_point_key
from version
