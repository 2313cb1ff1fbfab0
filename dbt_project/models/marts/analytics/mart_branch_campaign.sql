-- What a campaign did (营销活动评估, C360-16): how many of those it aimed at were contacted, came and bought, and how their
-- assets changed beside those of the rest. Assets are compared at ends of months, where both are known.
with campaign as (
    select
        *,
        date_trunc('month', starts_on)::date as first_month,
        (date_trunc('month', starts_on) - interval '1 month')::date as month_before,
        (
            date_trunc('month', ends_on)
            + make_interval(months => {{ party_parameter('campaign_after_months', 'ends_on') }}::integer)
        )::date as month_after
    from {{ ref('dim_campaign') }}
    where is_current and campaign_key > 0 and not is_inferred
),

target as (
    select
        fact.campaign_key,
        placed.party_key,
        min(fact.targeted_on) as targeted_on,
        bool_or(fact.responded_on is not null) as is_responded,
        bool_or(fact.outcome = 'bought') as is_bought,
        sum(fact.amount) filter (where fact.outcome = 'bought') as bought_amount
    from ({{ standing_rows('fct_campaign_target', ['campaign_id', 'customer_id']) }}) as fact
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = fact.customer_key
    where fact.row_sign = 1
    group by fact.campaign_key, placed.party_key
),

month_end as (
    select controller_id, party_key, snapshot_month, managed_assets
    from {{ ref('mart_customer_360') }}
    where as_of + 1 = (snapshot_month + interval '1 month')::date
),

population as (
    select
        campaign.*,
        customer.party_key,
        coalesce(customer.organisation_id, 'unknown') as organisation_id,
        case when target.party_key is null then 'rest' else 'targeted' end as target_group,
        coalesce(target.targeted_on, campaign.starts_on) as contact_from,
        target.is_responded,
        target.is_bought,
        target.bought_amount,
        before.managed_assets as assets_before,
        after.managed_assets as assets_after
    from campaign
    inner join {{ ref('mart_customer_360') }} as customer
        on customer.controller_id = campaign.controller_id
        and customer.snapshot_month = campaign.first_month
    left join target
        on target.campaign_key = campaign.campaign_key
        and target.party_key = customer.party_key
    left join month_end as before
        on before.controller_id = customer.controller_id
        and before.party_key = customer.party_key
        and before.snapshot_month = campaign.month_before
    left join month_end as after
        on after.controller_id = customer.controller_id
        and after.party_key = customer.party_key
        and after.snapshot_month = campaign.month_after
),

contacted as (
    select population.campaign_key, population.party_key, min(contact.contacted_at)::date as contacted_on
    from population
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.controller_id = population.controller_id
        and placed.party_key = population.party_key
    inner join ({{ standing_rows('fct_contact', ['contact_id']) }}) as contact
        on contact.customer_key = placed.customer_key
        and contact.row_sign = 1
        and contact.outcome = 'reached'
        and contact.has_note
        and contact.contacted_at::date between population.contact_from and population.ends_on
    group by population.campaign_key, population.party_key
)

select
    population.controller_id,
    population.source_system,
    population.campaign_id,
    population.organisation_id,
    population.target_group,
    max(population.campaign_name) as campaign_name,
    max(population.starts_on) as starts_on,
    max(population.ends_on) as ends_on,
    max(population.budget)::numeric(18, 2) as campaign_budget,
    count(*)::integer as party_count,
    count(contacted.party_key)::integer as contacted_count,
    coalesce(sum(contacted.contacted_on - population.contact_from), 0)::integer as contact_days,
    (count(*) filter (where population.is_responded))::integer as responded_count,
    (count(*) filter (where population.is_bought))::integer as bought_count,
    coalesce(sum(population.bought_amount), 0)::numeric(18, 2) as bought_amount,
    (count(*) filter (where population.assets_before is not null and population.assets_after is not null))::integer as measured_count,
    (sum(population.assets_before) filter (where population.assets_after is not null))::numeric(18, 2) as assets_before,
    (sum(population.assets_after) filter (where population.assets_before is not null))::numeric(18, 2) as assets_after,
    (
        sum(population.assets_after - population.assets_before)
        / nullif(sum(population.assets_before) filter (where population.assets_after is not null), 0)
    )::numeric(18, 6) as asset_change_rate
from population
left join contacted
    on contacted.campaign_key = population.campaign_key
    and contacted.party_key = population.party_key
group by
    population.controller_id, population.source_system, population.campaign_id, population.organisation_id,
    population.target_group
