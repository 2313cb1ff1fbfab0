{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.step_at') }}", "{{ rekey('organisation', 'fact.step_at') }}", "{{ rekey('employee', 'fact.step_at') }}", "{{ rekey('employee', 'fact.step_at', 'complained_employee') }}"],
    indexes=[{'columns': ['customer_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('complaint_step') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.complaint_id,
        row_taken_up.step_no,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('organisation', 'organisation', 'row_taken_up.organisation_id') }},
        {{ version_keys('employee', 'employee', 'row_taken_up.employee_id') }},
        {{ version_keys('employee', 'complained_employee', 'row_taken_up.complained_employee_id', 'complained_employee') }},
        coalesce(channel.channel_key, case when row_taken_up.channel_id is null then -2 else -1 end) as channel_key,
        row_taken_up.step,
        row_taken_up.step_at,
        row_taken_up.employee_id,
        row_taken_up.customer_id,
        row_taken_up.organisation_id,
        row_taken_up.complained_employee_id,
        row_taken_up.received_at,
        row_taken_up.category,
        row_taken_up.channel_id,
        row_taken_up.severity,
        row_taken_up.is_valid,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.step_at') }}
    {{ join_version('organisation', 'organisation', 'row_taken_up.source_system', 'row_taken_up.organisation_id', 'row_taken_up.step_at') }}
    {{ join_version('employee', 'employee', 'row_taken_up.source_system', 'row_taken_up.employee_id', 'row_taken_up.step_at') }}
    {{ join_version('employee', 'complained_employee', 'row_taken_up.source_system', 'row_taken_up.complained_employee_id', 'row_taken_up.step_at') }}
    left join {{ ref('dim_channel') }} as channel on channel.channel_id = row_taken_up.channel_id
)

{{ with_taken_back('complaint_step', 'resolved') }}
