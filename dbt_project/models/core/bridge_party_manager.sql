{{ config(post_hook="analyze {{ this }}") }}

-- Which customer managers a party has on which days. Shares of the managers of one customer add up to one on every day on
-- which he has any. Exactly one manager of a party is accountable (主办) on a day: of those sent as accountable, else of all,
-- the one with the greatest share, then the latest begun.
with version as (
    {{ type2_versions('manager_assignment') }}
),

assignment as (
    select
        version.*,
        placed.party_key,
        placed.customer_key,
        placed.controller_id as customer_controller_id,
        greatest(version.starts_on, version.valid_from) as begins_on,
        least(version.ends_on + 1, version.valid_to) as ends_before
    from version
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.source_system = version.source_system and placed.customer_id = version.customer_id
    where greatest(version.starts_on, version.valid_from) < least(version.ends_on + 1, version.valid_to)
),

-- The days travel with each assignment: the planner takes the versions for one row and would join all with all.
assignment_among_others as (
    select
        *,
        array_agg(begins_on) over party || array_agg(ends_before) over party as change_days
    from assignment
    window party as (partition by party_key)
),

managed as (
    select
        assignment.*,
        stretch.valid_from as managed_from,
        stretch.valid_to as managed_to,
        row_number() over (
            partition by assignment.party_key, stretch.valid_from
            order by
                (assignment.assignment_role = 'accountable') desc, assignment.share desc nulls last,
                assignment.begins_on desc, assignment.assignment_id collate "C"
        ) = 1 as is_accountable,
        row_number() over customer_managers as manager_no,
        round(
            case
                when sum(assignment.share) over (partition by assignment.customer_key, stretch.valid_from) > 0
                    then coalesce(assignment.share, 0)
                        / sum(assignment.share) over (partition by assignment.customer_key, stretch.valid_from)
                else 1.0 / count(*) over (partition by assignment.customer_key, stretch.valid_from)
            end, 6
        ) as weight
    from assignment_among_others as assignment
    cross join lateral (
        select day as valid_from, lead(day) over (order by day) as valid_to
        from (select distinct unnest(assignment.change_days) as day) as change
    ) as stretch
    where stretch.valid_from >= assignment.begins_on and stretch.valid_to <= assignment.ends_before
    window customer_managers as (
        partition by assignment.customer_key, stretch.valid_from
        order by (assignment.assignment_role = 'accountable') desc, assignment.share desc nulls last, assignment.assignment_id collate "C"
    )
)

select
    party_key,
    customer_key,
    {{ member_key('employee', 'source_system', 'employee_id') }} as employee_key,
    source_system,
    customer_controller_id as controller_id,
    assignment_id,
    customer_id,
    employee_id,
    assignment_role,
    is_accountable,
    (weight + case
        when manager_no = 1 then 1 - sum(weight) over (partition by customer_key, managed_from)
        else 0
    end)::numeric(9, 6) as share,
    managed_from as valid_from,
    managed_to as valid_to,
    managed_to = date '9999-12-31' as is_current
from managed
