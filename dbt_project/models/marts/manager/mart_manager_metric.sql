-- One long model of metrics: metric x manager x month. Scorecards, dashboards and reports read values from here only.
with evidence_of_metric as (
    select
        manager_id,
        period_month,
        metric_id,
        sum(numerator) as numerator,
        sum(denominator) as denominator,
        count(*) as case_count
    from {{ ref('mart_manager_evidence') }}
    group by manager_id, period_month, metric_id
),

measured as (
    select
        portfolio.manager_id,
        portfolio.period_month,
        kpi_metric.metric_id,
        kpi_metric.metric_name,
        kpi_metric.metric_name_zh,
        kpi_metric.unit,
        portfolio.as_of,
        portfolio.is_closed,
        portfolio.organisation_id,
        portfolio.controller_id,
        coalesce(evidence_of_metric.numerator, 0) as numerator,
        case kpi_metric.aggregation
            when 'sum' then 1
            when 'per_day' then portfolio.days
            when 'per_working_day' then portfolio.working_days
            when 'ratio' then coalesce(evidence_of_metric.denominator, 0)
        end as denominator,
        coalesce(evidence_of_metric.case_count, 0) as case_count
    from {{ ref('mart_manager_portfolio') }} as portfolio
    cross join {{ ref('kpi_metric') }} as kpi_metric
    left join evidence_of_metric
        on portfolio.manager_id = evidence_of_metric.manager_id
        and portfolio.period_month = evidence_of_metric.period_month
        and kpi_metric.metric_id = evidence_of_metric.metric_id
)

select
    manager_id,
    period_month,
    metric_id,
    metric_name,
    metric_name_zh,
    unit,
    as_of,
    is_closed,
    round(numerator / nullif(denominator, 0), 6)::numeric(24, 6) as metric_value,
    numerator::numeric(24, 6) as numerator,
    denominator::numeric(24, 6) as denominator,
    case_count::integer as case_count,
    organisation_id,
    controller_id
from measured
