{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('service_point', 'fact.reading_date') }}"],
    indexes=[{'columns': ['service_point_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('energy_daily') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.service_point_id,
        row_taken_up.meter_id,
        row_taken_up.reading_date,
        {{ version_keys('service_point', 'service_point', 'row_taken_up.service_point_id') }},
        row_taken_up.register_total,
        row_taken_up.kwh,
        row_taken_up.kwh_sharp,
        row_taken_up.kwh_peak,
        row_taken_up.kwh_flat,
        row_taken_up.kwh_valley,
        row_taken_up.kvarh,
        row_taken_up.max_demand_kw,
        row_taken_up.quality,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('service_point', 'service_point', 'row_taken_up.source_system', 'row_taken_up.service_point_id', 'row_taken_up.reading_date') }}
)

{{ with_taken_back('energy_daily', 'resolved') }}
