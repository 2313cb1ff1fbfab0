{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('organisation', 'fact.taken_at') }}", "{{ rekey('customer', 'fact.taken_at') }}"],
    indexes=[{'columns': ['organisation_key']}, {'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('queue_ticket') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.ticket_id,
        {{ version_keys('organisation', 'organisation', 'row_taken_up.organisation_id') }},
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        row_taken_up.organisation_id,
        row_taken_up.customer_id,
        row_taken_up.taken_at,
        row_taken_up.called_at,
        row_taken_up.ended_at,
        row_taken_up.counter_no,
        row_taken_up.recognised_level,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('organisation', 'organisation', 'row_taken_up.source_system', 'row_taken_up.organisation_id', 'row_taken_up.taken_at') }}
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.taken_at') }}
)

{{ with_taken_back('queue_ticket', 'resolved') }}
