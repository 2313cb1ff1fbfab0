-- Head counts of grades against their quotas. A cap is a share of a base that the rule names; the number itself is allowed.
with counted as (
    select
        portfolio.controller_id,
        portfolio.period_month,
        portfolio.manager_position,
        quota.grade,
        quota.cap_share,
        quota.base,
        count(*) filter (where portfolio.manager_grade = quota.grade) as head_count,
        count(*) filter (
            where quota.base = 'all'
                or portfolio.manager_grade in (
                    select peer.grade from {{ ref('manager_grade_quota') }} as peer where peer.position = quota.position
                )
        ) as base_count
    from {{ ref('mart_manager_portfolio') }} as portfolio
    inner join {{ ref('manager_grade_quota') }} as quota
        on portfolio.manager_position = quota.position
        and portfolio.period_month >= quota.valid_from
        and portfolio.period_month < quota.valid_to
    group by
        portfolio.controller_id,
        portfolio.period_month,
        portfolio.manager_position,
        quota.grade,
        quota.cap_share,
        quota.base
)

select
    controller_id,
    period_month,
    manager_position,
    grade,
    base,
    head_count::integer as head_count,
    base_count::integer as base_count,
    round(head_count::numeric / nullif(base_count, 0), 6)::numeric(9, 6) as head_share,
    cap_share::numeric(9, 6) as cap_share,
    floor(cap_share * base_count)::integer as cap_count,
    head_count > cap_share * base_count as is_over
from counted
