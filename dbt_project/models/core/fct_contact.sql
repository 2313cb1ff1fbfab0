{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.contacted_at') }}", "{{ rekey('employee', 'fact.contacted_at') }}"],
    indexes=[{'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('contact') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.contact_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.customer_id,
        row_taken_up.employee_id,
        row_taken_up.contacted_at,
        row_taken_up.contact_kind,
        row_taken_up.purpose,
        row_taken_up.outcome,
        row_taken_up.has_note,
        row_taken_up.annotated_by,
        row_taken_up.annotated_at,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.contacted_at') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.contacted_at') }}
)

{{ with_taken_back('contact', 'resolved') }}
