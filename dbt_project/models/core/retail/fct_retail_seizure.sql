{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('organisation', 'fact.seized_on') }}"],
    indexes=[{'columns': ['organisation_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('retail_seizure') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ version_keys('organisation', 'organisation', 'row_taken_up.organisation_id') }},
        row_taken_up.seizure_id,
        row_taken_up.operation_no,
        row_taken_up.organisation_id,
        row_taken_up.seized_on,
        row_taken_up.seizure_kind,
        row_taken_up.quantity,
        row_taken_up.unit,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('organisation', 'organisation', 'row_taken_up.source_system', 'row_taken_up.organisation_id', 'row_taken_up.seized_on') }}
)

{{ with_taken_back('retail_seizure', 'resolved') }}
