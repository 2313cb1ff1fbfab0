{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('loan', 'fact.due_on') }}"],
    indexes=[{'columns': ['loan_key']}, {'columns': ['file_id'], 'type': 'brin'}]
) }}

with row_taken_up as (
    {{ fact_rows('repayment_schedule') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.loan_id,
        row_taken_up.instalment_no,
        {{ version_keys('loan', 'loan', 'row_taken_up.loan_id') }},
        row_taken_up.due_on,
        row_taken_up.principal_due,
        row_taken_up.interest_due,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('loan', 'loan', 'row_taken_up.source_system', 'row_taken_up.loan_id', 'row_taken_up.due_on') }}
)

{{ with_taken_back('repayment_schedule', 'resolved') }}
