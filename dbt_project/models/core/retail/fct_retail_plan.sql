{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('brand', 'fact.plan_date') }}"],
    indexes=[{'columns': ['retail_plan_key', 'plan_date']}]
) }}

with row_taken_up as (
    {{ fact_rows('retail_plan_day') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ version_keys('brand', 'brand', 'row_taken_up.brand_id') }},
        {{ member_key('retail_plan', 'row_taken_up.source_system', 'row_taken_up.plan_id') }} as retail_plan_key,
        row_taken_up.plan_id,
        row_taken_up.brand_id,
        row_taken_up.plan_date,
        row_taken_up.cases,
        row_taken_up.amount,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('brand', 'brand', 'row_taken_up.source_system', 'row_taken_up.brand_id', 'row_taken_up.plan_date') }}
)

{{ with_taken_back('retail_plan_day', 'resolved') }}
