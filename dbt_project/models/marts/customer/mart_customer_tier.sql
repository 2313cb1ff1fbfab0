-- The tier of every party of a bank in every scheme, month by month, with what changed it and what it lacks to the next.
select
    tier.controller_id,
    tier.party_key,
    tier.tier_scheme,
    tier.figures_month as snapshot_month,
    customer.as_of,
    customer.party_id,
    customer.party_name_masked,
    customer.organisation_id,
    customer.accountable_manager_id,
    tier.measured_amount,
    tier.tier_id,
    rung.tier_name_zh,
    tier.tier_rank,
    tier.tier_before,
    tier.tier_change,
    tier.change_cause,
    tier.amount_to_next_tier,
    tier.is_critical
from {{ ref('fct_party_tier_month') }} as tier
inner join {{ ref('mart_customer_360') }} as customer
    on customer.controller_id = tier.controller_id
    and customer.party_key = tier.party_key
    and customer.snapshot_month = tier.figures_month
inner join {{ ref('party_tier') }} as rung
    on rung.tier_scheme = tier.tier_scheme
    and rung.tier_id = tier.tier_id
    and tier.as_of >= rung.valid_from
    and tier.as_of < rung.valid_to
