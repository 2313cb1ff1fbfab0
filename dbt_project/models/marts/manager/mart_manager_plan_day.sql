-- Targets broken down to days (月目标分解到日), for the two last months that are measured: older days are told by their month.
with recent_month as (
    select
        period_month,
        dense_rank() over (order by period_month desc) as recency
    from ({{ assessed_months() }}) as assessed
),

planned_day as (
    select
        planned_month.kpi_id,
        planned_month.owner_kind,
        planned_month.owner_id,
        planned_month.period_month,
        calendar.date_day as plan_day,
        planned_month.target_value as month_target,
        planned_month.planned_by_end - planned_month.target_value as planned_before_month,
        round(
            {{ planned('plan.target_value', 'plan.planned_before', 'plan.share_before',
                       share_by('plan.curve_id', 'calendar.date_day')) }}, 4
        ) as planned_by_day
    from {{ ref('fct_kpi_plan_month') }} as planned_month
    inner join recent_month
        on planned_month.period_month = recent_month.period_month and recent_month.recency <= 2
    inner join {{ ref('dim_date') }} as calendar
        on planned_month.period_month = calendar.month_start
    inner join {{ ref('fct_kpi_plan') }} as plan
        on planned_month.kpi_id = plan.kpi_id
        and planned_month.owner_kind = plan.owner_kind
        and planned_month.owner_id = plan.owner_id
        and planned_month.plan_year = plan.plan_year
        and calendar.date_day >= plan.begins_on
        and calendar.date_day < plan.ends_before
    where planned_month.spread = 'cumulative'
)

select
    planned_day.kpi_id,
    planned_day.owner_kind,
    planned_day.owner_id,
    planned_day.period_month,
    planned_day.plan_day,
    (planned_day.planned_by_day - lag(planned_day.planned_by_day, 1, planned_day.planned_before_month) over (
        partition by planned_day.kpi_id, planned_day.owner_kind, planned_day.owner_id, planned_day.period_month
        order by planned_day.plan_day
    ))::numeric(18, 4) as day_target,
    (planned_day.planned_by_day - planned_day.planned_before_month)::numeric(18, 4) as month_target_by_day,
    planned_day.month_target,
    round(
        (planned_day.planned_by_day - planned_day.planned_before_month) / nullif(planned_day.month_target, 0), 6
    )::numeric(9, 6) as plan_progress,
    target.controller_id
from planned_day
inner join {{ ref('mart_manager_target') }} as target
    on planned_day.kpi_id = target.kpi_id
    and planned_day.owner_kind = target.owner_kind
    and planned_day.owner_id = target.owner_id
    and planned_day.period_month = target.period_month
