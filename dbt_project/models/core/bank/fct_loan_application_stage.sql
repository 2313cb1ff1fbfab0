{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.started_at') }}", "{{ rekey('employee', 'fact.started_at') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['employee_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('loan_application_stage') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.application_id,
        row_taken_up.stage_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.customer_id,
        row_taken_up.employee_id,
        row_taken_up.loan_type,
        row_taken_up.started_at,
        row_taken_up.ended_at,
        row_taken_up.contract_no,
        row_taken_up.decision,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.started_at') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.started_at') }}
)

{{ with_taken_back('loan_application_stage', 'resolved') }}
