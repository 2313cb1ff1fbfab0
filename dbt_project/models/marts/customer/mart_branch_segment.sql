-- How a branch's parties spread over the segments of every dimension (C360-01): the share of 'unknown' is reported beside
-- the others (PAIN-03).
{%- set dimensions = [
    'nature', 'corporate_form', 'quality_class', 'relation_age', 'occupation', 'industry', 'life_cycle',
    'investment_preference', 'risk_preference', 'behaviour_preference', 'family_age',
] %}
with placed as (
    select segment.*, coalesce(customer.organisation_id, 'unknown') as organisation_id, customer.deposit_balance, customer.wealth_market_value
    from {{ ref('fct_party_segment_month') }} as segment
    inner join {{ ref('mart_customer_360') }} as customer
        on customer.controller_id = segment.controller_id
        and customer.party_key = segment.party_key
        and customer.snapshot_month = segment.figures_month
),

party_in_segment as (
    select
        placed.controller_id,
        placed.organisation_id,
        placed.figures_month,
        dimension.dimension_id,
        dimension.segment_id,
        placed.deposit_balance + placed.wealth_market_value as assets
    from placed
    cross join lateral (
        values
        {%- for dimension in dimensions %}
        ('{{ dimension }}', placed.{{ dimension }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as dimension (dimension_id, segment_id)
    where dimension.segment_id <> 'not_applicable'
)

select
    controller_id,
    organisation_id,
    figures_month as snapshot_month,
    dimension_id,
    segment_id,
    count(*)::integer as party_count,
    (count(*) / sum(count(*)) over (partition by controller_id, organisation_id, figures_month, dimension_id))::numeric(9,6)
        as party_share,
    sum(assets)::numeric(18,2) as assets
from party_in_segment
group by controller_id, organisation_id, figures_month, dimension_id, segment_id
