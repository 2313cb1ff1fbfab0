{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='supply_contract_key',
    pre_hook="{{ take_up(after=['int_supply_contract__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['supply_contract_key']}, {'columns': ['source_system', 'supply_contract_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('supply_contract') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key,
    {{ member_key('tariff', 'version.source_system', 'version.tariff_id') }} as tariff_key
from version
