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

customer_now as (
    select customer.*
    from {{ ref('mart_customer_360') }} as customer
    inner join horizon on horizon.controller_id = customer.controller_id and horizon.last_day = customer.as_of
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
    customer_now.organisation_id,
    customer_now.accountable_manager_id
from visible_event as event
inner join horizon on horizon.controller_id = event.controller_id and event.event_on <= horizon.last_day
inner join customer_now
    on customer_now.controller_id = event.controller_id
    and customer_now.party_key = event.party_key
