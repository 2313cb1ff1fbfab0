{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('card', 'fact.accounting_date') }}", "{{ rekey('card_account', 'fact.accounting_date') }}"],
    indexes=[{'columns': ['card_key']}, {'columns': ['accounting_date']}, {'columns': ['file_id'], 'type': 'brin'}]
) }}

with row_taken_up as (
    {{ fact_rows('card_transaction') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.transaction_id,
        {{ version_keys('card', 'card', 'row_taken_up.card_id') }},
        {{ version_keys('card_account', 'card_account', 'row_taken_up.card_account_id') }},
        row_taken_up.card_id,
        row_taken_up.card_account_id,
        row_taken_up.accounting_date,
        row_taken_up.transacted_at,
        row_taken_up.transaction_type,
        row_taken_up.source_type,
        row_taken_up.direction,
        row_taken_up.amount,
        row_taken_up.currency,
        row_taken_up.original_amount,
        row_taken_up.original_currency,
        row_taken_up.mcc,
        row_taken_up.merchant_id,
        row_taken_up.merchant_name,
        row_taken_up.entry_mode,
        row_taken_up.authorisation_id,
        row_taken_up.reverses_transaction_id,
        row_taken_up.is_fraud,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('card', 'card', 'row_taken_up.source_system', 'row_taken_up.card_id', 'row_taken_up.accounting_date') }}
    {{ join_version('card_account', 'card_account', 'row_taken_up.source_system', 'row_taken_up.card_account_id', 'row_taken_up.accounting_date') }}
)

{{ with_taken_back('card_transaction', 'resolved') }}
