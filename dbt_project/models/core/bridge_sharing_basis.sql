{{ config(post_hook="analyze {{ this }}") }}

-- While a consent or another legal basis is in force, facts about a party may pass from one controller to another: the gate
-- of DESIGN decision 8. One row a party, direction and unbroken stretch of days; a withdrawal counts from its own day on.
with version as (
    {{ type2_versions('consent') }}
),

basis as (
    select
        placed.party_key,
        case version.purpose when 'share_bank_to_grid' then 'bank' else 'grid' end as from_controller_id,
        case version.purpose when 'share_bank_to_grid' then 'grid' else 'bank' end as to_controller_id,
        version.consent_id,
        version.legal_basis,
        greatest(version.given_on, version.valid_from) as begins_on,
        least(version.withdrawn_on, version.valid_to) as ends_on
    from version
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.source_system = version.source_system and placed.customer_id = version.customer_id
    where version.purpose in ('share_bank_to_grid', 'share_grid_to_bank')
        and greatest(version.given_on, version.valid_from) < least(version.withdrawn_on, version.valid_to)
),

reach as (
    select *, max(ends_on) over (
        partition by party_key, from_controller_id, to_controller_id
        order by begins_on, ends_on rows between unbounded preceding and 1 preceding
    ) as reached
    from basis
),

island as (
    select *, count(*) filter (where reached is null or begins_on > reached) over (
        partition by party_key, from_controller_id, to_controller_id order by begins_on, ends_on
    ) as island_no
    from reach
)

select
    party_key,
    from_controller_id,
    to_controller_id,
    min(begins_on) as valid_from,
    max(ends_on) as valid_to,
    min(begins_on) <= {{ last_business_date() }} and max(ends_on) > {{ last_business_date() }} as is_current,
    string_agg(distinct consent_id, ' ' order by consent_id) as consent_ids
from island
group by party_key, from_controller_id, to_controller_id, island_no
