{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='retail_plan_key',
    pre_hook="{{ take_up(after=['int_retail_plan__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['retail_plan_key']}, {'columns': ['source_system', 'plan_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('retail_plan') }}
)

select
    version.*
from version
