{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.paid_at') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['bill_id']}]
) }}

with row_taken_up as (
    {{ fact_rows('grid_payment') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.payment_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        coalesce(channel.channel_key, case when row_taken_up.channel_id is null then -2 else -1 end) as channel_key,
        row_taken_up.channel_id,
        {{ member_key('account', 'row_taken_up.bank_source_system', 'row_taken_up.bank_account_id') }} as bank_account_key,
        row_taken_up.customer_id,
        row_taken_up.bill_id,
        row_taken_up.paid_at,
        row_taken_up.amount,
        row_taken_up.bank_source_system,
        row_taken_up.bank_account_id,
        row_taken_up.bank_transaction_id,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.paid_at') }}
    left join {{ ref('dim_channel') }} as channel on channel.channel_id = row_taken_up.channel_id
)

{{ with_taken_back('grid_payment', 'resolved') }}
