{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='cash_pool_key',
    pre_hook="{{ take_up(after=['int_cash_pool__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['cash_pool_key']}, {'columns': ['source_system', 'cash_pool_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('cash_pool') }}
)

select
    version.*,
    {{ member_key('account', 'version.source_system', 'version.header_account_id') }} as header_account_key
from version
