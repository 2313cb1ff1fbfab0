{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('employee', 'fact.usage_date') }}"]
) }}

with row_taken_up as (
    {{ fact_rows('system_usage') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.usage_date,
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.employee_id,
        row_taken_up.system_id,
        row_taken_up.system_version,
        row_taken_up.login_count,
        row_taken_up.minutes_used,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.usage_date') }}
)

{{ with_taken_back('system_usage', 'resolved') }}
