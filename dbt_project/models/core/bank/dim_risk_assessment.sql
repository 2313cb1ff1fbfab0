{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='risk_assessment_key',
    pre_hook="{{ take_up(after=['int_risk_assessment__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['risk_assessment_key']}, {'columns': ['source_system', 'risk_assessment_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('risk_assessment') }}
)

select
    version.*,
    {{ member_key('customer', 'version.source_system', 'version.customer_id') }} as customer_key
from version
