{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    tags=['results']
) }}

with points_of_each_manager as (
    select
        run_id,
        manager_id,
        scheme_id,
        scheme_version_id,
        period_month,
        count(*) as item_count,
        count(missing_reason) as missing_count,
        round(sum(points), 2) as points_before_veto,
        round(least(sum(points), min(cap_score) filter (where is_vetoed)), 2) as total_points,
        bool_or(is_vetoed) as is_vetoed,
        round(sum(points) filter (where kind = 'quantitative'), 2) as quantitative_points,
        round(sum(points) filter (where kind = 'qualitative'), 2) as qualitative_points
    from {{ ref('mart_manager_scorecard') }} as items
    {% if is_incremental() %}
        where not exists (select 1 from {{ this }} as totalled where totalled.run_id = items.run_id)
    {% endif %}
    group by run_id, manager_id, scheme_id, scheme_version_id, period_month
),

ranked_managers as (
    select
        points_of_each_manager.*,
        owners.owner_name as manager_name,
        owners.organisation_id,
        owners.organisation_name,
        owners.manager_grade,
        owners.controller_id,
        rank() over (
            partition by points_of_each_manager.run_id
            order by points_of_each_manager.total_points desc
        ) as rank_in_scheme,
        count(*) over (partition by points_of_each_manager.run_id) as peers_in_scheme,
        rank() over (
            partition by points_of_each_manager.run_id, owners.organisation_id
            order by points_of_each_manager.total_points desc
        ) as rank_in_organisation,
        count(*) over (
            partition by points_of_each_manager.run_id, owners.organisation_id
        ) as peers_in_organisation
    from points_of_each_manager
    inner join {{ source('assessment', 'sealed_owner') }} as owners
        on points_of_each_manager.run_id = owners.run_id
        and points_of_each_manager.manager_id = owners.owner_id
)

select
    ranked_managers.run_id,
    ranked_managers.manager_id,
    ranked_managers.manager_name,
    ranked_managers.organisation_id,
    ranked_managers.organisation_name,
    ranked_managers.manager_grade,
    ranked_managers.controller_id,
    ranked_managers.scheme_id,
    ranked_managers.scheme_version_id,
    ranked_managers.period_month,
    ranked_managers.item_count::integer as item_count,
    ranked_managers.missing_count::integer as missing_count,
    ranked_managers.points_before_veto::numeric(9, 2) as points_before_veto,
    ranked_managers.is_vetoed,
    ranked_managers.total_points::numeric(9, 2) as total_points,
    coalesce(ranked_managers.quantitative_points, 0)::numeric(9, 2) as quantitative_points,
    coalesce(ranked_managers.qualitative_points, 0)::numeric(9, 2) as qualitative_points,
    ranked_managers.rank_in_scheme::integer as rank_in_scheme,
    ranked_managers.peers_in_scheme::integer as peers_in_scheme,
    ranked_managers.rank_in_organisation::integer as rank_in_organisation,
    ranked_managers.peers_in_organisation::integer as peers_in_organisation,
    grades.grade as result_grade,
    grades.grade_zh as result_grade_zh
from ranked_managers
left join {{ source('assessment', 'sealed_grade') }} as grades
    on ranked_managers.run_id = grades.run_id
    and ranked_managers.total_points >= coalesce(grades.lower_total, '-infinity')
    and ranked_managers.total_points < coalesce(grades.upper_total, 'infinity')
