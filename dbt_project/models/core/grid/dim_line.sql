{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='line_key',
    pre_hook="{{ take_up(after=['int_line__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['line_key']}, {'columns': ['source_system', 'line_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('line') }}
)

select
    version.*
from version
