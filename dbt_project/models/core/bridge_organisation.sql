{{ config(post_hook="analyze {{ this }}") }}

-- The tree of organisations (机构树) as of any day: each unit below each of those above it, and itself at depth 0. A unit
-- that moves keeps its old way up to the day of the move; facts after a closing stand where the unit stood last. A ring of
-- units is followed once.
with recursive unit as (
    select
        organisation_key,
        organisation_id,
        parent_organisation_key,
        valid_from,
        covers_to
    from {{ ref('dim_organisation') }}
    where organisation_key > 0
),

way as (
    select
        organisation_key as ancestor_key,
        organisation_key,
        0 as depth,
        array[organisation_key] as passed,
        organisation_id as organisation_path,
        parent_organisation_key as above_key,
        valid_from,
        covers_to as valid_to
    from unit
    union all
    select
        unit.organisation_key,
        way.organisation_key,
        way.depth + 1,
        way.passed || unit.organisation_key,
        unit.organisation_id || ' > ' || way.organisation_path,
        unit.parent_organisation_key,
        greatest(way.valid_from, unit.valid_from),
        least(way.valid_to, unit.covers_to)
    from way
    inner join unit
        on unit.organisation_key = way.above_key
        and unit.valid_from < way.valid_to
        and unit.covers_to > way.valid_from
        and unit.organisation_key <> all(way.passed)
),

-- What changed was often not the way: neighbours with the same one are one stretch.
begun as (
    select
        *,
        (
            lag(valid_to) over (partition by ancestor_key, organisation_key, organisation_path order by valid_from)
            is distinct from valid_from
        ) as is_begin
    from way
),

stretch as (
    select
        *,
        count(*) filter (where is_begin) over (
            partition by ancestor_key, organisation_key, organisation_path order by valid_from
        ) as stretch_no
    from begun
)

select
    ancestor_key as ancestor_organisation_key,
    organisation_key,
    depth,
    organisation_path,
    min(valid_from) as valid_from,
    max(valid_to) as valid_to,
    max(valid_to) = date '9999-12-31' as is_current
from stretch
group by ancestor_key, organisation_key, depth, organisation_path, stretch_no
