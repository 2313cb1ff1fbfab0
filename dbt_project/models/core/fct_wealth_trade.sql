{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.traded_at') }}", "{{ rekey('account', 'fact.traded_at') }}", "{{ rekey('product', 'fact.traded_at') }}", "{{ rekey('employee', 'fact.traded_at') }}"],
    indexes=[{'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('wealth_trade') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.trade_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('account', 'account', 'row_taken_up.account_id') }},
        {{ version_keys('product', 'product', 'row_taken_up.product_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.customer_id,
        row_taken_up.account_id,
        row_taken_up.product_id,
        row_taken_up.employee_id,
        row_taken_up.traded_at,
        row_taken_up.side,
        row_taken_up.amount,
        row_taken_up.fee,
        row_taken_up.product_risk_level,
        row_taken_up.customer_risk_level,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.traded_at') }}
    {{ join_version('account', 'account', 'row_taken_up.source_system', 'row_taken_up.account_id', 'row_taken_up.traded_at') }}
    {{ join_version('product', 'product', 'row_taken_up.source_system', 'row_taken_up.product_id', 'row_taken_up.traded_at') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.traded_at') }}
)

{{ with_taken_back('wealth_trade', 'resolved') }}
