{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.sale_date') }}", "{{ rekey('brand', 'fact.sale_date') }}", "{{ rekey('employee', 'fact.sale_date') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['sale_date']}]
) }}

with row_taken_up as (
    {{ fact_rows('retail_sale') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('brand', 'brand', 'row_taken_up.brand_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.customer_id,
        row_taken_up.brand_id,
        row_taken_up.sale_date,
        row_taken_up.employee_id,
        row_taken_up.cases,
        row_taken_up.amount,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.sale_date') }}
    {{ join_version('brand', 'brand', 'row_taken_up.source_system', 'row_taken_up.brand_id', 'row_taken_up.sale_date') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.sale_date') }}
)

{{ with_taken_back('retail_sale', 'resolved') }}
