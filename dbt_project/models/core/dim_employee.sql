{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='employee_key',
    pre_hook="{{ take_up(after=['int_employee__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['employee_key']}, {'columns': ['source_system', 'employee_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('employee') }}
)

select
    version.*,
    {{ member_key('organisation', 'version.source_system', 'version.organisation_id') }} as organisation_key
from version
