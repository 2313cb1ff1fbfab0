{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('service_point', 'fact.reading_date') }}"],
    indexes=[{'columns': ['service_point_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('load_interval') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.service_point_id,
        row_taken_up.meter_id,
        row_taken_up.interval_start,
        {{ version_keys('service_point', 'service_point', 'row_taken_up.service_point_id') }},
        row_taken_up.reading_date,
        row_taken_up.interval_minutes,
        row_taken_up.kwh,
        row_taken_up.controlled_load_kwh,
        row_taken_up.gross_generation_kwh,
        row_taken_up.net_generation_kwh,
        row_taken_up.other_kwh,
        row_taken_up.quality,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('service_point', 'service_point', 'row_taken_up.source_system', 'row_taken_up.service_point_id', 'row_taken_up.reading_date') }}
)

{{ with_taken_back('load_interval', 'resolved') }}
