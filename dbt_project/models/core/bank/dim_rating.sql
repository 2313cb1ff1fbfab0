{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='rating_key',
    pre_hook="{{ take_up(after=['int_rating__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['rating_key']}, {'columns': ['source_system', 'rating_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('rating') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key
from version
