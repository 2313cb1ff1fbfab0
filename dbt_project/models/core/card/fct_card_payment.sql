{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('card_account', 'fact.paid_on') }}"],
    indexes=[{'columns': ['card_account_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('card_payment') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.payment_id,
        {{ version_keys('card_account', 'card_account', 'row_taken_up.card_account_id') }},
        coalesce(channel.channel_key, case when row_taken_up.channel_id is null then -2 else -1 end) as channel_key,
        row_taken_up.card_account_id,
        row_taken_up.paid_on,
        row_taken_up.amount,
        row_taken_up.currency,
        row_taken_up.source_account,
        row_taken_up.channel_id,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('card_account', 'card_account', 'row_taken_up.source_system', 'row_taken_up.card_account_id', 'row_taken_up.paid_on') }}
    left join {{ ref('dim_channel') }} as channel on channel.channel_id = row_taken_up.channel_id
)

{{ with_taken_back('card_payment', 'resolved') }}
