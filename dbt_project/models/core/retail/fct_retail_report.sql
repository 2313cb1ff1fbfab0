{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('organisation', 'fact.as_of') }}"],
    indexes=[{'columns': ['organisation_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('retail_report') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ version_keys('organisation', 'organisation', 'row_taken_up.organisation_id') }},
        row_taken_up.report_no,
        row_taken_up.organisation_id,
        row_taken_up.period_kind,
        row_taken_up.as_of,
        row_taken_up.scope,
        row_taken_up.figure,
        row_taken_up.printed_value,
        row_taken_up.decimals,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('organisation', 'organisation', 'row_taken_up.source_system', 'row_taken_up.organisation_id', 'row_taken_up.as_of') }}
)

{{ with_taken_back('retail_report', 'resolved') }}
