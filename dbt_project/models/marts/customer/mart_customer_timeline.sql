-- Each controller sees what happened to its own parties in its own systems, and what another controller shares with it
-- while a basis is in force, on the day of the event and now (DESIGN decision 8).
with horizon as (
    select controller_id, max(as_of) as last_day
    from {{ ref('fct_party_month') }}
    group by controller_id
),

own_event as (
    select event.controller_id as provided_by, event.*
    from {{ ref('fct_party_event') }} as event
),

shared_event as (
    select event.controller_id as provided_by, event.*, basis.to_controller_id
    from {{ ref('fct_party_event') }} as event
    inner join {{ ref('bridge_sharing_basis') }} as basis
        on basis.party_key = event.party_key
        and basis.from_controller_id = event.controller_id
        and event.event_on >= basis.valid_from
        and event.event_on < basis.valid_to
        and basis.is_current
),

visible_event as (
    select
        controller_id, provided_by, party_key, party_id, source_system, event_kind, event_id, event_on, event_at, subject,
        outcome, amount
    from own_event
    union all
    select
        to_controller_id, provided_by, party_key, party_id, source_system, event_kind, event_id, event_on, event_at, subject,
        outcome, amount
    from shared_event
),

own_customer as (
    select distinct on (placed.controller_id, placed.party_key)
        placed.controller_id,
        placed.party_key,
        customer.home_organisation_id,
        customer.grid_manager_no
    from {{ ref('bridge_party_source') }} as placed
    inner join {{ ref('dim_customer') }} as customer
        on customer.customer_key = placed.customer_key
        and customer.is_current
    left join {{ ref('survivorship_source') }} as survivorship on survivorship.source_system = placed.source_system
    order by placed.controller_id, placed.party_key, survivorship.survivorship_rank, placed.customer_key
),

accountable as (
    select manager.controller_id, manager.party_key, manager.employee_id
    from {{ ref('bridge_party_manager') }} as manager
    inner join horizon
        on horizon.controller_id = manager.controller_id
        and horizon.last_day >= manager.valid_from
        and horizon.last_day < manager.valid_to
    where manager.is_accountable
)

select
    event.controller_id,
    event.party_key,
    event.source_system,
    event.event_kind,
    event.event_id,
    event.party_id,
    event.provided_by,
    event.event_on,
    event.event_at,
    event.subject,
    event.outcome,
    event.amount,
    own_customer.home_organisation_id as organisation_id,
    coalesce(accountable.employee_id, own_customer.grid_manager_no) as accountable_manager_id
from visible_event as event
inner join horizon on horizon.controller_id = event.controller_id and event.event_on <= horizon.last_day
inner join own_customer
    on own_customer.controller_id = event.controller_id
    and own_customer.party_key = event.party_key
left join accountable
    on accountable.controller_id = event.controller_id
    and accountable.party_key = event.party_key
