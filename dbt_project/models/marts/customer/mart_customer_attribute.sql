-- The golden record as a controller may know it: the values of its own customers, and those of others while a sharing basis
-- is in force (DESIGN decision 8). Among these the order is that of bridge_party_attribute, and the survivor is chosen again.
with seen_by as (
    select distinct controller_id, party_key from {{ ref('bridge_party_source') }}
),

permitted as (
    select
        seen_by.controller_id as seen_by_controller_id,
        attribute.*
    from seen_by
    inner join {{ ref('bridge_party_attribute') }} as attribute
        on attribute.party_key = seen_by.party_key and attribute.is_current
    left join {{ ref('bridge_sharing_basis') }} as basis
        on basis.party_key = attribute.party_key
        and basis.from_controller_id = attribute.controller_id
        and basis.to_controller_id = seen_by.controller_id
        and basis.is_current
    where attribute.controller_id = seen_by.controller_id or basis.party_key is not null
),

candidate as (
    select
        seen_by_controller_id, party_key, party_id, attribute_name, customer_key, source_system, customer_id,
        attribute_value, criteria, preference, doubt_codes, told_from, loaded_at
    from permitted
),

decided as (
    {{ survivors('candidate', by=['seen_by_controller_id', 'party_key', 'attribute_name']) }}
),

kind as (
    select seen_by_controller_id, party_key, attribute_value as party_kind
    from decided
    where attribute_name = 'party_kind' and survivorship_position = 1
)

select
    decided.seen_by_controller_id as controller_id,
    decided.party_key,
    decided.party_id,
    kind.party_kind,
    decided.attribute_name,
    decided.source_system,
    decided.customer_id,
    {{ masked_attribute('decided.attribute_name', 'decided.attribute_value', 'kind.party_kind') }} as attribute_value_masked,
    decided.attribute_value,
    decided.survivorship_position = 1 as is_surviving,
    decided.chosen_by,
    decided.is_conflict,
    decided.doubt_codes,
    decided.told_from as effective_from,
    decided.loaded_at
from decided
left join kind
    on kind.seen_by_controller_id = decided.seen_by_controller_id and kind.party_key = decided.party_key
