{{ config(post_hook="analyze {{ this }}") }}

-- Groups of parties (集团) as of any day: each party below which others stand, with all that belong to it over any number
-- of steps. Members of a member belong too while every step holds; of several ways the shortest counts, so that a member
-- stands once on a day; a ring of members is followed once.
with recursive step as (
    select from_party_key as parent_party_key, to_party_key as child_party_key, controller_id, valid_from, valid_to
    from {{ ref('bridge_party_party') }}
    where relation_type = 'group_member' and from_party_key > 0 and to_party_key > 0 and from_party_key <> to_party_key
),

way as (
    select
        parent_party_key as group_party_key,
        child_party_key as member_party_key,
        controller_id,
        1 as depth,
        array[parent_party_key, child_party_key] as passed,
        valid_from,
        valid_to
    from step
    union all
    select
        way.group_party_key,
        step.child_party_key,
        way.controller_id,
        way.depth + 1,
        way.passed || step.child_party_key,
        greatest(way.valid_from, step.valid_from),
        least(way.valid_to, step.valid_to)
    from way
    inner join step
        on step.parent_party_key = way.member_party_key
        and step.controller_id = way.controller_id
        and step.valid_from < way.valid_to
        and step.valid_to > way.valid_from
        and step.child_party_key <> all(way.passed)
),

-- The head of a group belongs to it as long as it has members.
belonging as (
    select group_party_key, member_party_key, controller_id, depth, valid_from, valid_to from way
    union all
    select parent_party_key, parent_party_key, controller_id, 0, valid_from, valid_to from step
),

change_day as (
    select group_party_key, member_party_key, controller_id, valid_from as day from belonging
    union
    select group_party_key, member_party_key, controller_id, valid_to from belonging
    union
    select belonging.group_party_key, belonging.member_party_key, belonging.controller_id, edge.day
    from belonging
    inner join step
        on step.child_party_key = belonging.group_party_key and step.controller_id = belonging.controller_id
    cross join lateral (values (step.valid_from), (step.valid_to)) as edge (day)
),

stretch as (
    select *, lead(day) over (partition by group_party_key, member_party_key, controller_id order by day) as next_day
    from change_day
)

select
    stretch.group_party_key,
    stretch.member_party_key,
    stretch.controller_id,
    min(belonging.depth)::integer as depth,
    not exists (
        select 1 from step
        where step.child_party_key = stretch.group_party_key
            and step.controller_id = stretch.controller_id
            and step.valid_from <= stretch.day
            and step.valid_to > stretch.day
    ) as is_ultimate,
    stretch.day as valid_from,
    stretch.next_day as valid_to,
    stretch.next_day = date '9999-12-31' as is_current
from stretch
inner join belonging
    on belonging.group_party_key = stretch.group_party_key
    and belonging.member_party_key = stretch.member_party_key
    and belonging.controller_id = stretch.controller_id
    and belonging.valid_from <= stretch.day
    and belonging.valid_to > stretch.day
group by stretch.group_party_key, stretch.member_party_key, stretch.controller_id, stretch.day, stretch.next_day
