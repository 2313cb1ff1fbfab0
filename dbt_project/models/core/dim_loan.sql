{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='loan_key',
    pre_hook="{{ take_up(after=['int_loan__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['loan_key']}, {'columns': ['source_system', 'loan_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('loan') }}
)

select
    version.*,
    {{ member_key('account', 'version.source_system', 'version.account_id') }} as account_key,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key,
    {{ member_key('product', 'version.source_system', 'version.product_id') }} as product_key,
    {{ member_key('organisation', 'version.source_system', 'version.organisation_id') }} as organisation_key
from version
