{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.recorded_at') }}", "{{ rekey('employee', 'fact.recorded_at') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['file_id']}]
) }}

with row_taken_up as (
    {{ fact_rows('field_record') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.record_kind,
        row_taken_up.record_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        {{ member_key('connection_project', 'row_taken_up.source_system', 'row_taken_up.project_id') }} as connection_project_key,
        row_taken_up.customer_id,
        row_taken_up.employee_id,
        row_taken_up.project_id,
        row_taken_up.device_id,
        row_taken_up.recorded_at,
        row_taken_up.uploaded_at,
        row_taken_up.finding,
        row_taken_up.recovered_kwh,
        row_taken_up.has_note,
        row_taken_up.problem,
        row_taken_up.solve_by,
        row_taken_up.solved_on,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.recorded_at') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.recorded_at') }}
)

{{ with_taken_back('field_record', 'resolved') }}
