{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.period_end') }}", "{{ rekey('employee', 'fact.verified_on', 'verifier') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['file_id']}]
) }}

with row_taken_up as (
    {{ fact_rows('financial_statement') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.statement_id,
        row_taken_up.version_no,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('employee', 'verifier', 'row_taken_up.verifier_id', name='verifier') }},
        row_taken_up.customer_id,
        row_taken_up.period_kind,
        row_taken_up.period_start,
        row_taken_up.period_end,
        row_taken_up.currency,
        row_taken_up.reported_sales,
        row_taken_up.net_profit,
        row_taken_up.total_assets,
        row_taken_up.total_liabilities,
        row_taken_up.audit_state,
        row_taken_up.audit_firm,
        row_taken_up.verification_state,
        row_taken_up.verifier_id,
        row_taken_up.verified_on,
        row_taken_up.submitted_on,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.period_end') }}
    {{ join_version('employee', 'verifier', 'row_taken_up.source_system', 'row_taken_up.verifier_id', 'row_taken_up.verified_on') }}
)

{{ with_taken_back('financial_statement', 'resolved') }}
