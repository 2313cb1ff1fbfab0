-- Rules that would make an assessment meaningless; each row names version, item and what is wrong.
with bounds as (
    select scheme_version_id, kpi_id as item, lower_bound, upper_bound from {{ ref('kpi_ladder') }}
    union all
    select scheme_version_id, 'total', lower_total, upper_total from {{ ref('kpi_grade') }}
),

neighbours as (
    select
        *,
        lead(lower_bound) over rungs as next_lower_bound,
        row_number() over rungs as rung,
        count(*) over (partition by scheme_version_id, item) as rungs
    from bounds
    window rungs as (partition by scheme_version_id, item order by lower_bound nulls first)
)

select scheme_version_id, 'all' as item, 'weights add up to ' || sum(weight) || ', not to 100' as problem
from {{ ref('kpi_item') }}
group by scheme_version_id
having sum(weight) <> 100

union all

select scheme_version_id, kpi_id, 'stands more than once'
from {{ ref('kpi_item') }}
group by scheme_version_id, kpi_id
having count(*) > 1

union all

select scheme_version_id, kpi_id, 'floor above cap'
from {{ ref('kpi_item') }}
where floor_score > cap_score

union all

select scheme_version_id, kpi_id, 'parameters missing for ' || scoring || ' or ' || missing_behaviour
from {{ ref('kpi_item') }}
where (scoring = 'points_per_unit' and (points_per_unit is null or base_score is null))
    or (missing_behaviour = 'default' and default_score is null)
    or (scoring = 'linear_to_target' and measured_on <> 'attainment')
    or (scoring in ('points_per_unit', 'qualitative') and measured_on <> 'value')

union all

select items.scheme_version_id, items.kpi_id, 'ladder without rungs'
from {{ ref('kpi_item') }} as items
where items.scoring = 'ladder'
    and not exists (
        select 1 from {{ ref('kpi_ladder') }} as rungs
        where rungs.scheme_version_id = items.scheme_version_id and rungs.kpi_id = items.kpi_id
    )

union all

select rungs.scheme_version_id, rungs.kpi_id, 'rungs of an item that is no ladder'
from {{ ref('kpi_ladder') }} as rungs
left join {{ ref('kpi_item') }} as items
    on rungs.scheme_version_id = items.scheme_version_id and rungs.kpi_id = items.kpi_id and items.scoring = 'ladder'
where items.kpi_id is null

union all

select scheme_version_id, item, 'gap, overlap or open end in its rungs'
from neighbours
where (rung < rungs and upper_bound is distinct from next_lower_bound)
    or (rung = 1 and lower_bound is not null)
    or (rung = rungs and upper_bound is not null)
    or upper_bound <= lower_bound

union all

select one.scheme_version_id, 'all', 'valid at the same time as ' || other.scheme_version_id
from {{ ref('kpi_scheme_version') }} as one
inner join {{ ref('kpi_scheme_version') }} as other
    on one.scheme_id = other.scheme_id
    and one.scheme_version_id < other.scheme_version_id
    and one.state = 'approved' and other.state = 'approved'
    and one.valid_from < other.valid_to and other.valid_from < one.valid_to

union all

select scheme_version_id, 'all', 'approved by nobody, or by who prepared it'
from {{ ref('kpi_scheme_version') }}
where state = 'approved' and (approved_by is null or approved_on is null or approved_by = prepared_by)
