{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='tariff_period_key',
    pre_hook="{{ take_up(after=['int_tariff_period__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['tariff_period_key']}, {'columns': ['source_system', 'tariff_period_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('tariff_period') }}
)

select
    version.*,
    {{ member_key('tariff', 'version.source_system', 'version.tariff_id') }} as tariff_key
from version
