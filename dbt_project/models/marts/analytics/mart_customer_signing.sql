-- From signing to contact and to card (签约、联系、开卡, C360-17, PAIN-11): three dated facts and the days between them, from
-- the day on which a customer first had an accountable manager.
with signed as (
    select distinct on (controller_id, party_key)
        controller_id,
        party_key,
        employee_id,
        valid_from as signed_on
    from {{ ref('bridge_party_manager') }}
    where is_accountable
    order by controller_id, party_key, valid_from
),

contacted as (
    select signed.controller_id, signed.party_key, min(contact.contacted_at)::date as first_contact_on
    from signed
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.controller_id = signed.controller_id
        and placed.party_key = signed.party_key
    inner join ({{ standing_rows('fct_contact', ['contact_id']) }}) as contact
        on contact.customer_key = placed.customer_key
        and contact.row_sign = 1
        and contact.outcome = 'reached'
        and contact.has_note
        and contact.contacted_at >= signed.signed_on
    group by signed.controller_id, signed.party_key
),

recorded as (
    select controller_id, min(contacted_at)::date as contacts_from
    from {{ ref('fct_contact') }}
    group by controller_id
),

carded as (
    select
        signed.controller_id,
        signed.party_key,
        min(card.issued_on) as first_card_ever_on,
        min(card.issued_on) filter (where card.issued_on >= signed.signed_on) as first_card_on
    from signed
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.controller_id = signed.controller_id
        and placed.party_key = signed.party_key
    inner join {{ ref('dim_card') }} as card
        on card.customer_key = placed.customer_key
        and card.is_current
        and not card.is_inferred
        and card.issued_on is not null
    group by signed.controller_id, signed.party_key
),

customer_now as (
    {{ customers_now() }}
),

measured as (
    select
        customer_now.*,
        signed.employee_id as signing_manager_id,
        signed.signed_on,
        contacted.first_contact_on,
        signed.signed_on >= recorded.contacts_from as is_contact_recorded,
        carded.first_card_on,
        coalesce(carded.first_card_ever_on < signed.signed_on, false) as had_card,
        {{ party_parameter('card_due_days', 'customer_now.as_of') }} as card_due_days
    from customer_now
    inner join signed
        on signed.controller_id = customer_now.controller_id
        and signed.party_key = customer_now.party_key
        and signed.signed_on <= customer_now.as_of
    left join recorded on recorded.controller_id = customer_now.controller_id
    left join contacted
        on contacted.controller_id = customer_now.controller_id
        and contacted.party_key = customer_now.party_key
        and contacted.first_contact_on <= customer_now.as_of
    left join carded
        on carded.controller_id = customer_now.controller_id
        and carded.party_key = customer_now.party_key
)

select
    controller_id,
    party_key,
    as_of,
    party_id,
    party_name_masked,
    organisation_id,
    accountable_manager_id,
    tier_id,
    signing_manager_id,
    signed_on,
    first_contact_on,
    case when is_contact_recorded then (first_contact_on - signed_on)::integer end as days_to_contact,
    first_card_on,
    (first_card_on - signed_on)::integer as days_to_card,
    case
        when had_card then 'held_before'
        when first_card_on - signed_on <= card_due_days then 'issued'
        when first_card_on is not null then 'issued_late'
        when as_of - signed_on <= card_due_days then 'waiting'
        else 'overdue'
    end as card_state
from measured
