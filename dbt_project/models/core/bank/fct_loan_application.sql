{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'application_id'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_loan_application_stage']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['customer_key']}]
) }}

with stage as (
    select distinct on (fact.source_system, fact.application_id, fact.stage_id)
        fact.*,
        listed.stage_no
    from {{ ref('fct_loan_application_stage') }} as fact
    inner join {{ ref('loan_stage') }} as listed on listed.stage_id = fact.stage_id
    where fact.row_sign = 1
    {%- if is_incremental() %}
        and (fact.source_system, fact.application_id) in (
            select source_system, application_id from {{ ref('fct_loan_application_stage') }}
            where file_id = any({{ pending_files() }})
        )
    {%- endif %}
    order by
        fact.source_system, fact.application_id, fact.stage_id, fact.known_at desc, fact.file_id desc, fact.line desc
),

-- An application ends with an approval, or where it is turned down; the last stage tells who decided.
application as (
    select
        source_system,
        controller_id,
        application_id,
        max(customer_key) as customer_key,
        max(customer_id) as customer_id,
        max(loan_type) as loan_type,
        min(started_at) as applied_at,
        max(ended_at) filter (where decision in ('approved', 'rejected')) as decided_at,
        max(decision) filter (where decision in ('approved', 'rejected')) as decision,
        coalesce(max(employee_key) filter (where decision in ('approved', 'rejected')), -2) as decided_by_employee_key,
        max(contract_no) as contract_no,
        (array_agg(stage_id order by stage_no desc))[1] as last_stage_id,
        count(*) filter (where decision = 'returned')::integer as returned_count,
        max(known_at) as known_at
    from stage
    group by source_system, controller_id, application_id
),

calendar as (
    select date_day, working_day_no, is_working_day from {{ ref('dim_date') }}
),

-- A step counts working days from the begin of its first stage to the end of its last, or to the decision that ended it.
step as (
    select
        application.source_system,
        application.application_id,
        rule.step_id,
        rule.working_days as allowed,
        ending.working_day_no - starting.working_day_no as working_days,
        due.date_day as due_on
    from application
    inner join {{ ref('loan_step_limit') }} as rule
        on application.applied_at >= rule.valid_from
        and application.applied_at < rule.valid_to
    left join stage as beginning
        on beginning.source_system = application.source_system
        and beginning.application_id = application.application_id
        and beginning.stage_id = rule.from_stage
    left join stage as finishing
        on finishing.source_system = application.source_system
        and finishing.application_id = application.application_id
        and finishing.stage_id = rule.to_stage
    left join calendar as starting on starting.date_day = beginning.started_at::date
    left join calendar as ending
        on ending.date_day = case
            when rule.step_id = 'decision' then application.decided_at
            else finishing.ended_at
        end::date
    left join calendar as due
        on due.is_working_day
        and due.working_day_no = starting.working_day_no + rule.working_days
),

measured as (
    select
        source_system,
        application_id,
        {%- for step in ['application', 'decision'] %}
        max(working_days) filter (where step_id = '{{ step }}') as {{ step }}_working_days,
        max(allowed) filter (where step_id = '{{ step }}') as {{ step }}_limit_days,
        max(due_on) filter (where step_id = '{{ step }}') as {{ step }}_due_on,
        bool_and(working_days <= allowed) filter (where step_id = '{{ step }}') as is_{{ step }}_in_time,
        {%- endfor %}
        sum(allowed)::integer as limit_days
    from step
    group by source_system, application_id
)

select
    application.source_system,
    application.controller_id,
    application.application_id,
    application.customer_key,
    application.customer_id,
    application.loan_type,
    application.applied_at,
    application.decided_at,
    application.decision,
    application.decided_by_employee_key,
    application.contract_no,
    application.last_stage_id,
    application.returned_count,
    measured.application_working_days,
    measured.application_limit_days,
    measured.application_due_on,
    measured.is_application_in_time,
    measured.decision_working_days,
    measured.decision_limit_days,
    measured.decision_due_on,
    measured.is_decision_in_time,
    measured.limit_days,
    application.known_at
from application
left join measured
    on measured.source_system = application.source_system and measured.application_id = application.application_id
