{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('loan', 'fact.recovered_on') }}"],
    indexes=[{'columns': ['loan_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('recovery') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.recovery_id,
        {{ version_keys('loan', 'loan', 'row_taken_up.loan_id') }},
        row_taken_up.default_id,
        row_taken_up.loan_id,
        row_taken_up.recovered_on,
        row_taken_up.amount,
        row_taken_up.cost,
        row_taken_up.recovery_kind,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('loan', 'loan', 'row_taken_up.source_system', 'row_taken_up.loan_id', 'row_taken_up.recovered_on') }}
)

{{ with_taken_back('recovery', 'resolved') }}
