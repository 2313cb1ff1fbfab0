{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('account', 'fact.accounting_date') }}", "{{ rekey('employee', 'fact.accounting_date', 'operator') }}"],
    indexes=[{'columns': ['account_key']}, {'columns': ['accounting_date']}]
) }}

with row_taken_up as (
    {{ fact_rows('account_transaction') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.transaction_id,
        {{ version_keys('account', 'account', 'row_taken_up.account_id') }},
        {{ version_keys('employee', 'operator', 'row_taken_up.operator_id', 'operator') }},
        coalesce(channel.channel_key, case when row_taken_up.channel_id is null then -2 else -1 end) as channel_key,
        row_taken_up.channel_id,
        row_taken_up.account_id,
        row_taken_up.accounting_date,
        row_taken_up.transacted_at,
        row_taken_up.direction,
        row_taken_up.amount,
        row_taken_up.currency,
        row_taken_up.balance_after,
        row_taken_up.transaction_type,
        row_taken_up.source_type,
        row_taken_up.is_documented_type,
        row_taken_up.counterparty_account,
        row_taken_up.counterparty_name,
        row_taken_up.counterparty_bank,
        row_taken_up.operator_id,
        row_taken_up.summary,
        row_taken_up.reverses_transaction_id,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('account', 'account', 'row_taken_up.source_system', 'row_taken_up.account_id', 'row_taken_up.accounting_date') }}
    {{ join_version('employee', 'operator', 'row_taken_up.source_system', 'row_taken_up.operator_id', 'row_taken_up.accounting_date') }}
    left join {{ ref('dim_channel') }} as channel on channel.channel_id = row_taken_up.channel_id
)

{{ with_taken_back('account_transaction', 'resolved') }}
