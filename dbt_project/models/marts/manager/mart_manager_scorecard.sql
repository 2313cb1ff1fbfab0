{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    tags=['results']
) }}

-- Scoring. Every rule is a sealed row of the run; this model only says what the words of the rules mean.
with runs_to_score as (
    select
        run_id,
        scheme_id,
        scheme_version_id,
        period_start
    from {{ source('assessment', 'run_state') }} as runs
    {% if is_incremental() %}
        where not exists (select 1 from {{ this }} as scored where scored.run_id = runs.run_id)
    {% endif %}
),

items_of_each_manager as (
    select
        runs_to_score.run_id,
        runs_to_score.scheme_id,
        runs_to_score.scheme_version_id,
        runs_to_score.period_start as period_month,
        owners.owner_id as manager_id,
        owners.organisation_id,
        owners.controller_id,
        items.item_no,
        items.kpi_id,
        items.metric_id,
        items.kind,
        items.scoring,
        items.measured_on,
        items.weight,
        items.points_per_unit,
        items.base_score,
        items.threshold,
        items.floor_score,
        items.cap_score,
        items.minimum_cases,
        items.missing_behaviour,
        items.default_score,
        items.zero_target_behaviour,
        case items.direction when 'higher' then 1 else -1 end as better_sign,
        metrics.metric_value as raw_value,
        coalesce(metrics.case_count, 0) as case_count,
        targets.target_value,
        items.measured_on = 'attainment' as needs_target
    from runs_to_score
    inner join {{ source('assessment', 'sealed_owner') }} as owners
        on runs_to_score.run_id = owners.run_id
    inner join {{ source('assessment', 'sealed_item') }} as items
        on runs_to_score.run_id = items.run_id
    left join {{ source('assessment', 'sealed_metric') }} as metrics
        on runs_to_score.run_id = metrics.run_id
        and owners.owner_id = metrics.owner_id
        and items.metric_id = metrics.metric_id
    left join {{ source('assessment', 'sealed_target') }} as targets
        on runs_to_score.run_id = targets.run_id
        and owners.owner_id = targets.owner_id
        and items.kpi_id = targets.kpi_id
),

-- Attainment is 1 at the target and moves by one with each whole target above or below it, so that it is right for
-- negative targets and for items where less is better; for positive targets and more is better it is raw / target.
items_with_attainment as (
    select
        *,
        case
            when raw_value is null then null
            when target_value = 0 then case when better_sign * raw_value >= 0 then 1 else 0 end
            else round(1 + better_sign * (raw_value - target_value) / abs(target_value), 6)
        end as attainment,
        case
            when raw_value is null then 'no_value'
            when case_count < minimum_cases then 'too_few_cases'
            when needs_target and target_value is null then 'no_target'
            when needs_target and target_value = 0 and zero_target_behaviour = 'missing' then 'zero_target'
        end as missing_reason
    from items_of_each_manager
),

measured_items as (
    select
        *,
        case when needs_target then attainment else raw_value end as measured
    from items_with_attainment
),

-- A ladder's score is that of the rung. A band (插值) goes on from there to the score at the rung's upper end.
items_with_rung as (
    select
        measured_items.*,
        rungs.score + coalesce(
            (rungs.upper_score - rungs.score)
            * (measured_items.measured - rungs.lower_bound) / (rungs.upper_bound - rungs.lower_bound), 0
        ) as rung_score
    from measured_items
    left join {{ source('assessment', 'sealed_ladder') }} as rungs
        on measured_items.scoring in ('ladder', 'band')
        and measured_items.run_id = rungs.run_id
        and measured_items.kpi_id = rungs.kpi_id
        and measured_items.measured >= coalesce(rungs.lower_bound, '-infinity')
        and measured_items.measured < coalesce(rungs.upper_bound, 'infinity')
),

scored_items as (
    select
        *,
        round(
            case
                when missing_reason is not null then
                    case missing_behaviour when 'zero' then 0 when 'default' then default_score end
                when scoring = 'linear_to_target' then 100 * attainment
                when scoring in ('ladder', 'band') then rung_score
                when scoring = 'points_per_unit' then base_score + points_per_unit * raw_value
                when scoring = 'qualitative' then raw_value
                -- Each unit costs, or each per cent that is missing to the target; none of either earns nothing (KPI-61).
                when scoring = 'veto' then 0
                when scoring = 'deduction' and needs_target then -points_per_unit * greatest(100 * (1 - attainment), 0)
                when scoring = 'deduction' then -points_per_unit * greatest(raw_value, 0)
            end, 4
        ) as score_before_limits,
        scoring in ('deduction', 'veto') as acts_on_total,
        scoring = 'veto' and missing_reason is null and case
            when better_sign > 0 then raw_value < threshold
            else raw_value >= threshold
        end as is_vetoed
    from items_with_rung
),

-- Floor and cap bound what was measured; what stands in for a missing value is already the rule's last word.
limited_items as (
    select
        *,
        case
            when missing_reason is not null or scoring = 'veto' then score_before_limits
            else round(least(greatest(score_before_limits, floor_score), cap_score), 4)
        end as score,
        missing_reason is not null and missing_behaviour = 'reweight' as is_reweighted
    from scored_items
),

weighted_items as (
    select
        *,
        case
            when is_reweighted or acts_on_total then 0
            else round(weight * 100 / sum(weight) filter (where not is_reweighted) over (partition by run_id, manager_id), 6)
        end as effective_weight
    from limited_items
)

select
    weighted_items.run_id,
    weighted_items.manager_id,
    weighted_items.kpi_id,
    weighted_items.scheme_id,
    weighted_items.scheme_version_id,
    weighted_items.period_month,
    weighted_items.organisation_id,
    weighted_items.controller_id,
    weighted_items.item_no,
    weighted_items.metric_id,
    kpi_metric.metric_name as kpi_name,
    kpi_metric.metric_name_zh as kpi_name_zh,
    kpi_metric.unit,
    kpi_metric.decimals,
    weighted_items.kind,
    weighted_items.scoring,
    weighted_items.measured_on,
    weighted_items.raw_value::numeric(24, 6) as raw_value,
    weighted_items.case_count,
    weighted_items.target_value::numeric(24, 6) as target_value,
    weighted_items.attainment::numeric(18, 6) as attainment,
    weighted_items.missing_reason,
    weighted_items.score_before_limits::numeric(18, 4) as score_before_limits,
    weighted_items.floor_score::numeric(9, 4) as floor_score,
    weighted_items.cap_score::numeric(9, 4) as cap_score,
    weighted_items.score::numeric(9, 4) as score,
    weighted_items.weight::numeric(9, 4) as weight,
    weighted_items.effective_weight::numeric(12, 6) as effective_weight,
    round(
        case
            when weighted_items.acts_on_total then coalesce(weighted_items.score, 0)
            else coalesce(weighted_items.score, 0) * weighted_items.effective_weight / 100
        end, 4
    )::numeric(9, 4) as points,
    weighted_items.is_vetoed
from weighted_items
left join {{ ref('kpi_metric') }} as kpi_metric
    on weighted_items.metric_id = kpi_metric.metric_id
