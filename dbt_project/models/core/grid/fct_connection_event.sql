{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('employee', 'fact.event_at') }}"],
    indexes=[{'columns': ['connection_project_key']}, {'columns': ['file_id']}]
) }}

with row_taken_up as (
    {{ fact_rows('connection_event') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ member_key('connection_project', 'row_taken_up.source_system', 'row_taken_up.project_id') }} as connection_project_key,
        row_taken_up.project_id,
        row_taken_up.event_no,
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        {{ member_key('stage', "'c360'", 'row_taken_up.stage_id') }} as stage_key,
        row_taken_up.stage_id,
        row_taken_up.event,
        row_taken_up.event_at,
        row_taken_up.department,
        row_taken_up.employee_id,
        row_taken_up.note,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.event_at') }}
)

{{ with_taken_back('connection_event', 'resolved') }}
