{{ config(indexes=[{'columns': ['owner_id', 'kpi_id', 'period_month']}]) }}

-- The year's target broken down to months (年目标分解到月): what shall be reached between two ends of months.
with month as (
    select
        month_start as period_month,
        month_end
    from {{ ref('dim_date') }}
    where day_of_month = 1
),

planned_month as (
    select
        plan.*,
        month.period_month,
        month.month_end,
        case
            when plan.spread = 'level' then plan.target_value
            else round(
                {{ planned('plan.target_value', 'plan.planned_before', 'plan.share_before',
                           share_by('plan.curve_id', 'month.month_end')) }}, 4
            )
        end as planned_by_end
    from {{ ref('fct_kpi_plan') }} as plan
    inner join month
        on plan.plan_year = extract(year from month.month_end)
        and plan.begins_on <= month.month_end
        and plan.ends_before > month.month_end
)

select
    kpi_id,
    owner_kind,
    owner_id,
    period_month,
    plan_year,
    version_no,
    valid_from,
    unit,
    spread,
    curve_id,
    case
        when spread = 'level' then target_value
        else planned_by_end - coalesce(
            lag(planned_by_end) over (partition by kpi_id, owner_kind, owner_id, plan_year order by period_month), 0
        )
    end::numeric(18, 4) as target_value,
    planned_by_end::numeric(18, 4) as planned_by_end,
    set_by,
    is_set_by_owner,
    approved_by,
    upload_id,
    file_name,
    line
from planned_month
