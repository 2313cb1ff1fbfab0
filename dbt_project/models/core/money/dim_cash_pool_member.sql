{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='cash_pool_member_key',
    pre_hook="{{ take_up(after=['int_cash_pool_member__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['cash_pool_member_key']}, {'columns': ['source_system', 'cash_pool_member_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('cash_pool_member') }}
)

select
    version.*,
    {{ member_key('account', 'version.source_system', 'version.account_id') }} as account_key,
    {{ member_key('cash_pool', 'version.source_system', 'version.cash_pool_id') }} as cash_pool_key
from version
