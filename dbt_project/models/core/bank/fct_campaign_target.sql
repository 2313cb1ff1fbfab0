{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('campaign', 'fact.targeted_on') }}", "{{ rekey('customer', 'fact.targeted_on') }}", "{{ rekey('employee', 'fact.targeted_on') }}"],
    indexes=[{'columns': ['campaign_key']}, {'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('campaign_target') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.campaign_id,
        row_taken_up.customer_id,
        {{ version_keys('campaign', 'campaign', 'row_taken_up.campaign_id') }},
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        row_taken_up.employee_id,
        row_taken_up.targeted_on,
        row_taken_up.responded_on,
        row_taken_up.outcome,
        row_taken_up.amount,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('campaign', 'campaign', 'row_taken_up.source_system', 'row_taken_up.campaign_id', 'row_taken_up.targeted_on') }}
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.targeted_on') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.targeted_on') }}
)

{{ with_taken_back('campaign_target', 'resolved') }}
