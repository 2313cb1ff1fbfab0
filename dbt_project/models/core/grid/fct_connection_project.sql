{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='connection_project_key',
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_connection_stage', 'fct_design_review', 'fct_field_record']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['customer_key']}]
) }}

-- depends_on: {{ ref('fct_connection_event') }}
with touched as (
    select connection_project_key from {{ ref('int_connection_project__changes') }}
    {%- if is_incremental() %}
    where file_id = any({{ pending_files() }})
    union
    select connection_project_key from {{ ref('fct_connection_event') }}
    where file_id = any({{ pending_files() }})
    union
    select connection_project_key from {{ ref('fct_design_review') }}
    where file_id = any({{ pending_files() }})
    union
    select connection_project_key from {{ ref('fct_field_record') }}
    where file_id = any({{ pending_files() }}) and connection_project_key > 0
    {%- endif %}
),

project as (
    {{ connection_projects('touched') }}
),

stage as (
    select * from {{ ref('fct_connection_stage') }}
    where connection_project_key in (select connection_project_key from touched)
),

-- A milestone is reached when its stage has ended; rework moves it.
milestone as (
    select
        connection_project_key,
        {%- for milestone in connection_milestones() %}
        max(ended_on) filter (where stage_id = '{{ milestone }}') as {{ milestone }}_on,
        {%- endfor %}
        min(started_on) as first_started_on,
        max(clock_working_days) filter (where limit_id = 'plan_reply') as plan_reply_working_days,
        max(clock_working_days) filter (where limit_id = 'drawing_review') as drawing_review_working_days,
        max(clock_working_days) filter (where limit_id = 'interim_inspection') as interim_inspection_working_days,
        max(clock_working_days) filter (where limit_id = 'acceptance') as acceptance_working_days,
        max(clock_working_days) filter (where limit_id = 'energising') as energising_working_days,
        coalesce(sum(working_days) filter (where is_customer_time), 0)::integer as customer_working_days,
        coalesce(sum(waited_working_days) filter (where not is_customer_time and stage_id <> 'return_visit'), 0)::integer
            as waiting_working_days,
        coalesce(sum(paused_working_days) filter (where not is_customer_time), 0)::integer as paused_working_days,
        sum(rework_count)::integer as rework_count,
        (count(*) filter (where not is_within_limit))::integer as stages_over_limit,
        (count(*) filter (where not is_within_promise))::integer as stages_over_promise,
        (array_agg(stage_id order by stage_no desc) filter (where ended_at is null))[1] as current_stage_id,
        max(known_at) as known_at
    from stage
    group by connection_project_key
),

-- The last word on each submission of a design document; a document is passed when its last submission was.
design as (
    select
        connection_project_key,
        max(submission_no) - 1 as design_resubmission_count,
        bool_and(is_passed) filter (where is_last) as is_design_passed,
        max(known_at) as known_at
    from (
        select *, row_number() over (partition by document_id order by submission_no desc) = 1 as is_last
        from (
            select distinct on (source_system, document_id, submission_no)
                *
            from {{ ref('fct_design_review') }}
            where row_sign = 1 and connection_project_key in (select connection_project_key from touched)
            order by source_system, document_id, submission_no, known_at desc, file_id desc, line desc
        ) as submission
    ) as submission
    group by connection_project_key
),

leader_visit as (
    select
        project.connection_project_key,
        coalesce(sum(visit.row_sign) filter (
            where coalesce(visit.recorded_at < project.energised_on, true)
        ), 0)::integer as leader_visits_before,
        coalesce(sum(visit.row_sign) filter (
            where visit.recorded_at >= project.energised_on
                and visit.recorded_at::date <= project.energised_on + interval '1 month'
        ), 0)::integer as leader_visits_first_month,
        max(visit.known_at) as known_at
    from (
        select
            project.connection_project_key,
            project.leader_id,
            coalesce(project.energised_on, milestone.energising_on) as energised_on
        from project
        left join milestone on milestone.connection_project_key = project.connection_project_key
    ) as project
    inner join {{ ref('fct_field_record') }} as visit
        on visit.connection_project_key = project.connection_project_key
        and visit.record_kind = 'visit'
        and visit.employee_id = project.leader_id
    group by project.connection_project_key
),

measured as (
    select
        project.source_system,
        project.controller_id,
        project.connection_project_key,
        project.project_id,
        {{ member_key('customer', 'project.source_system', 'project.customer_id') }} as customer_key,
        {{ member_key('line', 'project.source_system', 'project.line_id') }} as line_key,
        project.customer_id,
        project.applicant_name,
        project.project_kind,
        project.voltage_level,
        project.supply_class,
        project.requested_capacity_kva,
        project.line_id,
        project.is_green_channel,
        project.leader_id,
        case when project.is_deleted then 'deleted' else project.state end as state,
        milestone.current_stage_id,
        coalesce(project.applied_on, milestone.first_started_on) as applied_on,
        {%- for milestone in connection_milestones() %}
        milestone.{{ milestone }}_on,
        {%- endfor %}
        coalesce(project.energised_on, milestone.energising_on) as energised_on,
        project.cancelled_on,
        milestone.plan_reply_working_days,
        milestone.drawing_review_working_days,
        milestone.interim_inspection_working_days,
        milestone.acceptance_working_days,
        milestone.energising_working_days,
        coalesce(milestone.customer_working_days, 0) as customer_working_days,
        coalesce(milestone.waiting_working_days, 0) as waiting_working_days,
        coalesce(milestone.paused_working_days, 0) as paused_working_days,
        coalesce(milestone.rework_count, 0) as rework_count,
        coalesce(milestone.stages_over_limit, 0) as stages_over_limit,
        coalesce(milestone.stages_over_promise, 0) as stages_over_promise,
        coalesce(design.design_resubmission_count, 0) as design_resubmission_count,
        design.is_design_passed,
        coalesce(leader_visit.leader_visits_before, 0) as leader_visits_before,
        coalesce(leader_visit.leader_visits_first_month, 0) as leader_visits_first_month,
        greatest(project.known_at, milestone.known_at, design.known_at, leader_visit.known_at) as known_at
    from project
    left join milestone on milestone.connection_project_key = project.connection_project_key
    left join design on design.connection_project_key = project.connection_project_key
    left join leader_visit on leader_visit.connection_project_key = project.connection_project_key
),

timed as (
    select
        measured.*,
        finish.working_day_no - application.working_day_no as total_working_days,
        finish.working_day_no - application.working_day_no - measured.customer_working_days - measured.paused_working_days
            as grid_working_days,
        regulator.working_days as limit_working_days,
        promise.working_days as promise_working_days,
        normal_promise.working_days as normal_promise_working_days,
        due.date_day as promise_due_on
    from measured
    left join {{ ref('dim_date') }} as application on application.date_day = measured.applied_on
    left join {{ ref('dim_date') }} as finish on finish.date_day = coalesce(measured.cancelled_on, measured.energised_on)
    {%- for kind, limit_kind in [
        ('regulator', "'regulator'"),
        ('promise', "case when measured.is_green_channel then 'green_promise' else 'promise' end"),
        ('normal_promise', "'promise'"),
    ] %}
    left join {{ ref('connection_limit') }} as {{ kind }}
        on {{ kind }}.scope = 'project'
        and {{ kind }}.limit_kind = {{ limit_kind }}
        and {{ kind }}.supply_class = measured.supply_class
        and measured.applied_on >= {{ kind }}.valid_from
        and measured.applied_on < {{ kind }}.valid_to
    {%- endfor %}
    left join {{ ref('dim_date') }} as due
        on due.is_working_day
        and due.working_day_no = application.working_day_no + measured.customer_working_days
            + measured.paused_working_days + promise.working_days
)

select
    *,
    case when state = 'energised' then grid_working_days <= limit_working_days end as is_within_limit,
    case when state = 'energised' then grid_working_days <= promise_working_days end as is_within_promise,
    case when is_green_channel then promise_working_days * 2 <= normal_promise_working_days end as is_promise_halved,
    case
        when leader_id is not null and state = 'energised' then leader_visits_before > 0 and leader_visits_first_month > 0
    end as is_leader_visit_rule_kept,
    case when state = 'energised' then stages_over_promise = 0 end as is_every_stage_on_time
from timed
