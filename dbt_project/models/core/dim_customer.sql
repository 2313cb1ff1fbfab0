{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='customer_key',
    pre_hook="{{ take_up(after=['int_customer__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['customer_key']}, {'columns': ['source_system', 'customer_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('customer') }}
)

select
    version.*,
    {{ member_key('organisation', 'version.source_system', 'version.home_organisation_id') }} as home_organisation_key
from version
