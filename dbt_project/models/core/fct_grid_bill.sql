{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.issued_on') }}", "{{ rekey('service_point', 'fact.issued_on') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['service_point_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('grid_bill') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.bill_id,
        row_taken_up.line_no,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('service_point', 'service_point', 'row_taken_up.service_point_id') }},
        row_taken_up.customer_id,
        row_taken_up.contract_no,
        row_taken_up.service_point_id,
        row_taken_up.billing_month,
        row_taken_up.issued_on,
        row_taken_up.due_on,
        row_taken_up.bill_kind,
        row_taken_up.cancels_bill_id,
        row_taken_up.power_factor,
        row_taken_up.component,
        row_taken_up.period,
        row_taken_up.tier,
        row_taken_up.quantity,
        row_taken_up.unit,
        row_taken_up.price,
        row_taken_up.amount,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.issued_on') }}
    {{ join_version('service_point', 'service_point', 'row_taken_up.source_system', 'row_taken_up.service_point_id', 'row_taken_up.issued_on') }}
)

{{ with_taken_back('grid_bill', 'resolved') }}
