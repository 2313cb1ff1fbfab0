{{ config(tags=['quality']) }}

-- Months of what was judged, with the rule that was in force: tables, employees, their units, and the edges of the warehouse.
with judged as (
    select
        check_id,
        subject_kind,
        subject_id,
        date_trunc('month', judged_on)::date as period_month,
        source_system,
        table_name,
        controller_id,
        organisation_id,
        dimension,
        definition,
        judged_on,
        judged_count,
        passed_count
    from {{ ref('fct_quality_check') }}
),

subject as (
    select * from judged
    union all
    select
        check_id,
        'organisation',
        organisation_id,
        period_month,
        source_system,
        table_name,
        controller_id,
        organisation_id,
        dimension,
        definition,
        judged_on,
        judged_count,
        passed_count
    from judged
    where subject_kind = 'employee' and organisation_id is not null
),

score as (
    select
        check_id,
        subject_kind,
        subject_id,
        period_month,
        controller_id,
        min(source_system) as source_system,
        min(table_name) as table_name,
        (array_agg(organisation_id order by judged_on desc, organisation_id))[1] as organisation_id,
        max(dimension) as dimension,
        max(definition) as definition,
        max(judged_on) as as_of,
        sum(judged_count) as judged_count,
        sum(passed_count) as passed_count
    from subject
    group by check_id, subject_kind, subject_id, period_month, controller_id
)

select
    score.period_month,
    score.subject_kind,
    score.subject_id,
    score.check_id,
    score.controller_id,
    coalesce(rule.dimension, score.dimension) as dimension,
    coalesce(rule.check_name, score.check_id) as check_name,
    rule.check_name_zh,
    coalesce(rule.definition, score.definition) as definition,
    rule.definition_zh,
    rule.check_version,
    score.source_system,
    score.table_name,
    score.organisation_id,
    score.as_of,
    score.judged_count::bigint as judged_count,
    score.passed_count::bigint as passed_count,
    round(score.passed_count::numeric / nullif(score.judged_count, 0), 6)::numeric(9, 6) as score,
    coalesce(rule.least_score, 1)::numeric(9, 6) as least_score,
    score.passed_count >= coalesce(rule.least_score, 1) * nullif(score.judged_count, 0) as is_met
from score
left join {{ ref('quality_check') }} as rule
    on score.check_id = rule.check_id
    and score.period_month >= rule.valid_from
    and score.period_month < rule.valid_to
