{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='tariff_key',
    pre_hook="{{ take_up(after=['int_tariff__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['tariff_key']}, {'columns': ['source_system', 'tariff_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('tariff') }}
)

select
    version.*
from version
