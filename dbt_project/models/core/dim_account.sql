{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='account_key',
    pre_hook="{{ take_up(after=['int_account__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['account_key']}, {'columns': ['source_system', 'account_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('account') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key,
    {{ member_key('product', 'version.source_system', 'version.product_id') }} as product_key,
    {{ member_key('organisation', 'version.source_system', 'version.organisation_id') }} as organisation_key
from version
