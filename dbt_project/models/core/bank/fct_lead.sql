{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.created_at') }}", "{{ rekey('employee', 'fact.created_at') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['employee_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('lead') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.lead_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.customer_id,
        row_taken_up.employee_id,
        row_taken_up.lead_kind,
        coalesce(rule.rule_id, 'unregistered') as rule_id,
        coalesce(rule.rule_version, 0) as rule_version,
        row_taken_up.created_at,
        row_taken_up.due_on,
        row_taken_up.handled_at,
        row_taken_up.disposition,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    left join {{ ref('lead_rule') }} as rule
        on rule.lead_kind = row_taken_up.lead_kind
        and row_taken_up.created_at >= rule.valid_from
        and row_taken_up.created_at < rule.valid_to
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.created_at') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.created_at') }}
)

{{ with_taken_back('lead', 'resolved') }}
