{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.as_of') }}"],
    indexes=[{'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('receivable') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.bill_id,
        row_taken_up.as_of,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        row_taken_up.customer_id,
        row_taken_up.overdue_amount,
        row_taken_up.late_fee,
        row_taken_up.days_overdue,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.as_of') }}
)

{{ with_taken_back('receivable', 'resolved') }}
