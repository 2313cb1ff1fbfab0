{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='organisation_key',
    pre_hook="{{ take_up(after=['int_organisation__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['organisation_key']}, {'columns': ['source_system', 'organisation_id']}, {'columns': ['known_from']}]
) }}

with version as (
    {{ type2_versions('organisation') }}
)

select
    version.*,
    {{ member_key('organisation', 'version.source_system', 'version.parent_id') }} as parent_organisation_key
from version
