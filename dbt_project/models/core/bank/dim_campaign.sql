{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='campaign_key',
    pre_hook="{{ take_up(after=['int_campaign__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['campaign_key']}, {'columns': ['source_system', 'campaign_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('campaign') }}
)

select
    version.*,
    {{ member_key('product', 'version.source_system', 'version.product_id') }} as product_key
from version
