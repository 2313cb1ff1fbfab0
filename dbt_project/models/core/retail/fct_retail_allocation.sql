{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.delivery_date') }}", "{{ rekey('brand', 'fact.delivery_date') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['delivery_date']}]
) }}

with row_taken_up as (
    {{ fact_rows('retail_allocation') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('brand', 'brand', 'row_taken_up.brand_id') }},
        row_taken_up.customer_id,
        row_taken_up.brand_id,
        row_taken_up.delivery_date,
        row_taken_up.told_on,
        row_taken_up.allocated_cases,
        row_taken_up.ordered_cases,
        row_taken_up.delivered_cases,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.delivery_date') }}
    {{ join_version('brand', 'brand', 'row_taken_up.source_system', 'row_taken_up.brand_id', 'row_taken_up.delivery_date') }}
)

{{ with_taken_back('retail_allocation', 'resolved') }}
