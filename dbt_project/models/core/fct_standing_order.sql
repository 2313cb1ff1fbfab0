{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='standing_order_key',
    pre_hook="{{ take_up(after=['int_standing_order__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['standing_order_key']}, {'columns': ['account_key']}]
) }}

with version as (
    {{ type2_versions('standing_order') }}
)

select
    version.*,
    {{ member_key('account', 'version.source_system', 'version.account_id') }} as account_key
from version
where version.standing_order_key > 0
