{{ config(materialized='table', tags=['results']) }}

-- Totals as they stand after adjustments that a second person approved. The scored totals stay as they are.
with approved_adjustment as (
    select
        run_id,
        owner_id as manager_id,
        sum(points) as points,
        count(*) as adjustments,
        string_agg(
            points || ': ' || reason || ' (' || prepared_by || ', ' || decided_by || ')', '; ' order by adjustment_id
        ) as reasons
    from {{ source('assessment', 'adjustment_state') }}
    where state = 'approved'
    group by run_id, owner_id
),

adjusted_total as (
    select
        totals.run_id,
        totals.manager_id,
        totals.scheme_id,
        totals.period_month,
        totals.organisation_id,
        totals.controller_id,
        totals.total_points as scored_points,
        coalesce(approved_adjustment.points, 0) as adjustment_points,
        coalesce(approved_adjustment.adjustments, 0) as adjustment_count,
        approved_adjustment.reasons as adjustment_reasons,
        totals.total_points + coalesce(approved_adjustment.points, 0) as final_points
    from {{ ref('mart_manager_scorecard_total') }} as totals
    left join approved_adjustment
        on totals.run_id = approved_adjustment.run_id and totals.manager_id = approved_adjustment.manager_id
)

select
    adjusted_total.run_id,
    adjusted_total.manager_id,
    adjusted_total.scheme_id,
    adjusted_total.period_month,
    adjusted_total.organisation_id,
    adjusted_total.controller_id,
    adjusted_total.scored_points::numeric(9, 2) as scored_points,
    adjusted_total.adjustment_points::numeric(9, 2) as adjustment_points,
    adjusted_total.adjustment_count::integer as adjustment_count,
    adjusted_total.adjustment_reasons,
    adjusted_total.final_points::numeric(9, 2) as final_points,
    (rank() over (
        partition by adjusted_total.run_id order by adjusted_total.final_points desc
    ))::integer as final_rank,
    grades.grade as final_grade,
    grades.grade_zh as final_grade_zh
from adjusted_total
left join {{ source('assessment', 'sealed_grade') }} as grades
    on adjusted_total.run_id = grades.run_id
    and adjusted_total.final_points >= coalesce(grades.lower_total, '-infinity')
    and adjusted_total.final_points < coalesce(grades.upper_total, 'infinity')
