{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('card_account', 'fact.cycle_end') }}"],
    indexes=[{'columns': ['card_account_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('card_statement') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.statement_id,
        {{ version_keys('card_account', 'card_account', 'row_taken_up.card_account_id') }},
        row_taken_up.card_account_id,
        row_taken_up.cycle_start,
        row_taken_up.cycle_end,
        row_taken_up.due_on,
        row_taken_up.opening_balance,
        row_taken_up.purchases,
        row_taken_up.payments,
        row_taken_up.fees_and_interest,
        row_taken_up.closing_balance,
        row_taken_up.minimum_payment,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('card_account', 'card_account', 'row_taken_up.source_system', 'row_taken_up.card_account_id', 'row_taken_up.cycle_end') }}
)

{{ with_taken_back('card_statement', 'resolved') }}
