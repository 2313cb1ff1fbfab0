{{ config(post_hook="analyze {{ this }}") }}

-- In which tier of each scheme a party stands at the end of a month, what it lacks to the next, and what moved it.
with measured as (
    select
        month.controller_id,
        month.party_key,
        month.party_id,
        month.figures_month,
        month.as_of,
        scheme.tier_scheme,
        case scheme.measure
            when 'aum' then month.deposit_balance + month.wealth_market_value
            when 'aum_average' then month.deposit_average_balance + month.wealth_market_value
            when 'deposit_balance' then month.deposit_balance
        end as measured_amount
    from {{ ref('fct_party_month') }} as month
    inner join {{ ref('dim_party') }} as party on party.party_key = month.party_key and party.is_current
    inner join {{ ref('party_tier_scheme') }} as scheme on scheme.party_kind = party.party_kind
    where month.controller_kind = 'bank'
),

tier as (
    select
        tier_scheme,
        tier_id,
        tier_rank,
        coalesce(lower_bound, '-infinity') as lower_bound,
        coalesce(
            lead(lower_bound) over (partition by tier_scheme, valid_from order by tier_rank), 'infinity'
        ) as upper_bound,
        valid_from,
        valid_to
    from {{ ref('party_tier') }}
),

placed as (
    select measured.*, tier.tier_id, tier.tier_rank, nullif(tier.upper_bound, 'infinity') as next_tier_bound
    from measured
    inner join tier
        on tier.tier_scheme = measured.tier_scheme
        and measured.measured_amount >= tier.lower_bound
        and measured.measured_amount < tier.upper_bound
        and measured.as_of >= tier.valid_from
        and measured.as_of < tier.valid_to
),

compared as (
    select
        *,
        lag(tier_id) over life as tier_before,
        lag(tier_rank) over life as rank_before,
        lag(measured_amount) over life as amount_before
    from placed
    window life as (partition by controller_id, party_key, tier_scheme order by figures_month)
)

select
    compared.controller_id,
    compared.party_key,
    compared.party_id,
    compared.tier_scheme,
    compared.figures_month,
    compared.as_of,
    compared.measured_amount::numeric(18, 2) as measured_amount,
    compared.tier_id,
    compared.tier_rank::smallint as tier_rank,
    compared.tier_before,
    case
        when compared.rank_before is null then 'entry'
        when compared.tier_rank > compared.rank_before then 'upgrade'
        when compared.tier_rank < compared.rank_before then 'downgrade'
    end as tier_change,
    case
        when compared.rank_before is null then 'first_month'
        when compared.tier_rank = compared.rank_before then null
        when before_by_present_rules.tier_rank = compared.tier_rank then 'rules_changed'
        when compared.tier_rank > compared.rank_before then 'assets_rose'
        else 'assets_fell'
    end as change_cause,
    (compared.next_tier_bound - compared.measured_amount)::numeric(18, 2) as amount_to_next_tier,
    coalesce(
        compared.measured_amount
        >= compared.next_tier_bound * (1 - {{ party_parameter('critical_band_share', 'compared.as_of') }}),
        false
    ) as is_critical
from compared
left join tier as before_by_present_rules
    on before_by_present_rules.tier_scheme = compared.tier_scheme
    and compared.amount_before >= before_by_present_rules.lower_bound
    and compared.amount_before < before_by_present_rules.upper_bound
    and compared.as_of >= before_by_present_rules.valid_from
    and compared.as_of < before_by_present_rules.valid_to
