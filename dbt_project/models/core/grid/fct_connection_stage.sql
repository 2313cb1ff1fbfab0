{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='connection_project_key',
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_connection_event', 'int_connection_project__changes']) }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- Only projects of which an event or the header arrived are made anew.
with touched as (
    select connection_project_key from {{ ref('int_connection_project__changes') }}
    {%- if is_incremental() %}
    where file_id = any({{ pending_files() }})
    union
    select connection_project_key from {{ ref('fct_connection_event') }}
    where file_id = any({{ pending_files() }})
    {%- endif %}
),

project as (
    {{ connection_projects('touched') }}
),

event as (
    select distinct on (connection_project_key, event_no)
        *,
        event_at::date as event_on
    from {{ ref('fct_connection_event') }}
    where row_sign = 1 and connection_project_key in (select connection_project_key from touched)
    order by connection_project_key, event_no, known_at desc, file_id desc, line desc
),

calendar as (
    select date_day, working_day_no, is_working_day from {{ ref('dim_date') }}
),

-- A clock that was stopped (暂停) runs again at the next event of its stage.
pause as (
    select
        halted.connection_project_key,
        halted.stage_id,
        sum(again.working_day_no - stopped.working_day_no)::integer as paused_working_days
    from (
        select
            connection_project_key,
            stage_id,
            event,
            event_on,
            lead(event_on) over (partition by connection_project_key, stage_id order by event_no) as resumed_on
        from event
    ) as halted
    inner join calendar as stopped on stopped.date_day = halted.event_on
    inner join calendar as again on again.date_day = halted.resumed_on
    where halted.event = 'pause'
    group by halted.connection_project_key, halted.stage_id
),

-- Rework (返工) opens a stage again: it has ended when nothing came after its last end.
last_event as (
    select distinct on (connection_project_key, stage_id)
        *
    from event
    order by connection_project_key, stage_id, event_no desc
),

span as (
    select
        last_event.source_system,
        last_event.controller_id,
        last_event.connection_project_key,
        last_event.project_id,
        last_event.stage_key,
        last_event.stage_id,
        last_event.department,
        last_event.employee_key,
        last_event.employee_id,
        last_event.event = 'pause' as is_paused,
        case when last_event.event = 'end' then last_event.event_at end as ended_at,
        case when last_event.event = 'end' then last_event.event_on end as ended_on,
        min(event.event_at) as started_at,
        min(event.event_on) as started_on,
        (count(*) filter (where event.event = 'rework'))::integer as rework_count,
        max(event.known_at) as known_at
    from last_event
    inner join event
        on event.connection_project_key = last_event.connection_project_key and event.stage_id = last_event.stage_id
    group by
        last_event.source_system, last_event.controller_id, last_event.connection_project_key, last_event.project_id,
        last_event.stage_key, last_event.stage_id, last_event.department, last_event.employee_key,
        last_event.employee_id, last_event.event, last_event.event_at, last_event.event_on
),

worked as (
    select
        span.*,
        stage.stage_no,
        stage.is_customer_time,
        project.supply_class,
        starting.working_day_no as first_working_day_no,
        ending.working_day_no as last_working_day_no,
        ending.working_day_no - starting.working_day_no as working_days,
        coalesce(pause.paused_working_days, 0) as paused_working_days
    from span
    inner join project on project.connection_project_key = span.connection_project_key
    left join {{ ref('dim_stage') }} as stage on stage.stage_key = span.stage_key
    left join calendar as starting on starting.date_day = span.started_on
    left join calendar as ending on ending.date_day = span.ended_on
    left join pause
        on pause.connection_project_key = span.connection_project_key and pause.stage_id = span.stage_id
),

-- A stage waits from the last end of the stages before it, in the order of stages.
waited as (
    select
        connection_project_key,
        stage_id,
        greatest(first_working_day_no - max(last_working_day_no) over (
            partition by connection_project_key order by stage_no rows between unbounded preceding and 1 preceding
        ), 0) as waited_working_days
    from worked
),

-- The clock of a limit starts with its first stage and stands still in pauses and in the customer's own time.
clock as (
    select
        worked.connection_project_key,
        worked.stage_id,
        rule.limit_kind,
        rule.limit_id,
        rule.working_days as allowed,
        clock_start.started_on as clock_from,
        starting.working_day_no as first_working_day_no,
        coalesce((
            select sum(case when part.is_customer_time then part.working_days else part.paused_working_days end)
            from worked as part
            where part.connection_project_key = worked.connection_project_key
                and part.stage_no between clock_start.stage_no and worked.stage_no
        ), 0)::integer as stopped_working_days,
        ending.working_day_no as last_working_day_no
    from worked
    inner join {{ ref('connection_limit') }} as rule
        on rule.scope = 'stage'
        and rule.supply_class = worked.supply_class
        and rule.to_stage = worked.stage_id
    inner join worked as clock_start
        on clock_start.connection_project_key = worked.connection_project_key
        and clock_start.stage_id = rule.from_stage
        and clock_start.started_on >= rule.valid_from
        and clock_start.started_on < rule.valid_to
    inner join calendar as starting on starting.date_day = clock_start.started_on
    left join calendar as ending on ending.date_day = worked.ended_on
),

kept as (
    select
        clock.connection_project_key,
        clock.stage_id,
        max(clock.limit_id) as limit_id,
        min(clock.clock_from) as clock_from,
        max(clock.last_working_day_no - clock.first_working_day_no - clock.stopped_working_days) as clock_working_days,
        max(clock.allowed) filter (where clock.limit_kind = 'regulator') as limit_working_days,
        max(due.date_day) filter (where clock.limit_kind = 'regulator') as limit_due_on,
        max(clock.allowed) filter (where clock.limit_kind = 'promise') as promise_working_days,
        max(due.date_day) filter (where clock.limit_kind = 'promise') as promise_due_on
    from clock
    left join calendar as due
        on due.is_working_day
        and due.working_day_no = clock.first_working_day_no + clock.stopped_working_days + clock.allowed
    group by clock.connection_project_key, clock.stage_id
)

select
    worked.source_system,
    worked.controller_id,
    worked.connection_project_key,
    worked.project_id,
    worked.stage_key,
    worked.stage_id,
    worked.stage_no,
    worked.supply_class,
    worked.is_customer_time,
    worked.started_at,
    worked.started_on,
    worked.ended_at,
    worked.ended_on,
    worked.working_days,
    coalesce(waited.waited_working_days, 0) as waited_working_days,
    worked.paused_working_days,
    worked.is_paused,
    worked.rework_count,
    kept.limit_id,
    kept.clock_from,
    kept.clock_working_days,
    kept.limit_working_days,
    kept.limit_due_on,
    kept.clock_working_days <= kept.limit_working_days as is_within_limit,
    kept.promise_working_days,
    kept.promise_due_on,
    kept.clock_working_days <= kept.promise_working_days as is_within_promise,
    worked.department,
    worked.employee_key,
    worked.employee_id,
    worked.known_at
from worked
left join waited
    on waited.connection_project_key = worked.connection_project_key and waited.stage_id = worked.stage_id
left join kept
    on kept.connection_project_key = worked.connection_project_key and kept.stage_id = worked.stage_id
