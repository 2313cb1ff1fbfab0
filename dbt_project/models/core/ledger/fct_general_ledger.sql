{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('organisation', 'fact.accounting_date') }}"],
    indexes=[
        {'columns': ['source_system', 'accounting_date', 'organisation_id']},
        {'columns': ['file_id'], 'type': 'brin'}
    ]
) }}

with row_taken_up as (
    {{ fact_rows('general_ledger') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        {{ version_keys('organisation', 'organisation', 'row_taken_up.organisation_id') }},
        row_taken_up.organisation_id,
        row_taken_up.subject_id,
        row_taken_up.currency,
        row_taken_up.accounting_date,
        row_taken_up.balance_side,
        row_taken_up.opening_balance,
        row_taken_up.debit_amount,
        row_taken_up.credit_amount,
        row_taken_up.closing_balance,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('organisation', 'organisation', 'row_taken_up.source_system', 'row_taken_up.organisation_id', 'row_taken_up.accounting_date') }}
)

{{ with_taken_back('general_ledger', 'resolved') }}
