{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='credit_limit_key',
    pre_hook="{{ take_up(after=['int_credit_limit__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['credit_limit_key']}, {'columns': ['source_system', 'credit_limit_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('credit_limit') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key
from version
