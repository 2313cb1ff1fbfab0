{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('employee', 'fact.reviewed_at') }}"],
    indexes=[{'columns': ['connection_project_key']}, {'columns': ['file_id']}]
) }}

with row_taken_up as (
    {{ fact_rows('design_review') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.document_id,
        row_taken_up.submission_no,
        {{ member_key('connection_project', 'row_taken_up.source_system', 'row_taken_up.project_id') }} as connection_project_key,
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.project_id,
        row_taken_up.employee_id,
        row_taken_up.document_kind,
        row_taken_up.submitted_at,
        row_taken_up.reviewed_at,
        row_taken_up.is_correct,
        row_taken_up.is_complete,
        row_taken_up.is_feasible,
        row_taken_up.is_correct and row_taken_up.is_complete and row_taken_up.is_feasible as is_passed,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.reviewed_at') }}
)

{{ with_taken_back('design_review', 'resolved') }}
