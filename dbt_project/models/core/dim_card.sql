{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='card_key',
    pre_hook="{{ take_up(after=['int_card__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['card_key']}, {'columns': ['source_system', 'card_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('card') }}
)

select
    version.*,
    {{ member_key('card_account', 'version.source_system', 'version.card_account_id') }} as card_account_key,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key,
    {{ member_key('account', 'version.source_system', 'version.account_id') }} as account_key,
    {{ member_key('product', 'version.source_system', 'version.product_id') }} as product_key
from version
