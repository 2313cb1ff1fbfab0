{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='card_account_key',
    pre_hook="{{ take_up(after=['int_card_account__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['card_account_key']}, {'columns': ['source_system', 'card_account_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('card_account') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key,
    {{ member_key('account', 'version.settlement_source_system', 'version.settlement_account_id') }} as settlement_account_key
from version
