{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('loan', 'fact.defaulted_on') }}"],
    indexes=[{'columns': ['loan_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('loan_default') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.default_id,
        {{ version_keys('loan', 'loan', 'row_taken_up.loan_id') }},
        row_taken_up.loan_id,
        row_taken_up.defaulted_on,
        row_taken_up.days_past_due,
        row_taken_up.exposure,
        row_taken_up.cured_on,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('loan', 'loan', 'row_taken_up.source_system', 'row_taken_up.loan_id', 'row_taken_up.defaulted_on') }}
)

{{ with_taken_back('loan_default', 'resolved') }}
