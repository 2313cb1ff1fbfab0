{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.series_month') }}"],
    indexes=[{'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('external_series') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.customer_id,
        row_taken_up.series,
        row_taken_up.series_month,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        row_taken_up.series_value,
        row_taken_up.unit,
        row_taken_up.provider,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.series_month') }}
)

{{ with_taken_back('external_series', 'resolved') }}
