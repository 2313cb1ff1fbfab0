{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='collateral_key',
    pre_hook="{{ take_up(after=['int_collateral__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['collateral_key']}, {'columns': ['source_system', 'collateral_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('collateral') }}
)

select
    version.*,
    {{ member_key('loan', 'version.source_system', 'version.loan_id') }} as loan_key,
    {{ member_key('customer', 'version.source_system', 'version.owner_customer_id') }} as owner_customer_key
from version
