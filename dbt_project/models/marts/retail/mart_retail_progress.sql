-- As many days in each publication, not fewer where a month begins; fct_retail_progress has all.
with kept as (
    select
        *,
        rank() over peers as completion_rank,
        count(*) over (partition by source_system, owner_kind, scope, period_kind, as_of) as peer_count
    from (
        select *, max(as_of) over (partition by source_system) as last_day
        from {{ ref('fct_retail_progress') }}
    ) as progress
    where as_of > last_day - interval '{{ var("retail_progress_months") }} months'
    window peers as (
        partition by source_system, owner_kind, scope, period_kind, as_of order by lead desc nulls last
    )
)

select
    kept.source_system,
    kept.owner_kind,
    kept.owner_id,
    coalesce(manager.employee_name, unit.organisation_name) as owner_name,
    case kept.owner_kind when 'employee' then kept.owner_id end as manager_id,
    case kept.owner_kind when 'employee' then manager.organisation_id else kept.owner_id end as organisation_id,
    kept.scope,
    kept.period_kind,
    kept.as_of,
    kept.period_start,
    kept.period_end,
    kept.plan_id,
    kept.plan_version,
    plan.set_by as plan_set_by,
    plan.approved_by as plan_approved_by,
    kept.sold_cases,
    kept.sold_amount,
    kept.plan_cases,
    kept.plan_amount,
    kept.plan_cases_to_date,
    kept.plan_amount_to_date,
    kept.completion,
    kept.plan_progress,
    kept.lead,
    kept.calendar_progress,
    kept.calendar_lead,
    kept.amount_completion,
    kept.average_price,
    kept.planned_average_price,
    kept.price_gap,
    kept.volume_share,
    kept.planned_share,
    kept.share_gap,
    kept.finished_on,
    kept.days_early,
    kept.working_days_early,
    kept.completion_rank::integer as completion_rank,
    kept.peer_count::integer as peer_count,
    kept.controller_id
from kept
inner join {{ ref('dim_retail_plan') }} as plan
    on plan.retail_plan_key = kept.retail_plan_key and plan.is_current
{{ join_owner('kept', 'kept.as_of') }}
