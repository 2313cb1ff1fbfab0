-- How a branch's parties spread over the segments of every dimension (C360-01): the share of 'unknown' is reported beside
-- the others (PAIN-03).
{%- set dimensions = [
    'corporate_form', 'quality_class', 'relation_age', 'occupation', 'industry', 'life_cycle', 'investment_preference',
    'risk_preference', 'behaviour_preference', 'family_age',
] %}
with party_in_segment as (
    select
        customer.controller_id,
        coalesce(customer.organisation_id, 'unknown') as organisation_id,
        customer.snapshot_month,
        dimension.dimension_id,
        dimension.segment_id,
        customer.managed_assets as assets
    from {{ ref('mart_customer_360') }} as customer
    inner join {{ ref('controller') }} as controller
        on controller.controller_id = customer.controller_id
        and controller.controller_kind = 'bank'
    cross join lateral (
        values
        ('nature', coalesce(customer.party_kind, 'unknown')),
        {%- for dimension in dimensions %}
        ('{{ dimension }}', customer.{{ dimension }}_segment){{ ',' if not loop.last }}
        {%- endfor %}
    ) as dimension (dimension_id, segment_id)
    where dimension.segment_id <> 'not_applicable'
)

select
    controller_id,
    organisation_id,
    snapshot_month,
    dimension_id,
    segment_id,
    count(*)::integer as party_count,
    (count(*) / sum(count(*)) over (partition by controller_id, organisation_id, snapshot_month, dimension_id))::numeric(9, 6)
        as party_share,
    sum(assets)::numeric(18, 2) as assets
from party_in_segment
group by controller_id, organisation_id, snapshot_month, dimension_id, segment_id
