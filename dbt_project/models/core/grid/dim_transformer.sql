{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='transformer_key',
    pre_hook="{{ take_up(after=['int_transformer__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['transformer_key']}, {'columns': ['source_system', 'transformer_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('transformer') }}
)

select
    version.*,
    {{ member_key('line', 'version.source_system', 'version.line_id') }} as line_key
from version
