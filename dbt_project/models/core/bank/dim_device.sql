{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='device_key',
    pre_hook="{{ take_up(after=['int_device__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['device_key']}, {'columns': ['source_system', 'device_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('device') }}
)

select
    version.*,
    {{ member_key('organisation', 'version.source_system', 'version.organisation_id') }} as organisation_key
from version
