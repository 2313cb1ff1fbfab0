{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['transaction_id']}]
) }}

with row_taken_up as (
    {{ fact_rows('card_dispute') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.dispute_id,
        row_taken_up.transaction_id,
        row_taken_up.opened_on,
        row_taken_up.reason,
        row_taken_up.amount,
        row_taken_up.state,
        row_taken_up.closed_on,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
)

{{ with_taken_back('card_dispute', 'resolved') }}
