-- Which packages a customer holds, and what it lacks of the others (C360-12, C360-13): what lacks little and is begun is
-- an offer.
with customer_now as not materialized (
    {{ customers_now() }}
),

member as (
    select
        customer_now.controller_id,
        customer_now.party_key,
        package.package_id,
        package.package_name_zh,
        package.product_group,
        product_group.product_group_zh,
        held.product_group is not null as is_held
    from customer_now
    inner join {{ ref('product_package') }} as package
        on package.party_kind = customer_now.party_kind
        and customer_now.as_of >= package.valid_from
        and customer_now.as_of < package.valid_to
    inner join {{ ref('product_group') }} as product_group on product_group.product_group = package.product_group
    left join {{ ref('fct_party_product') }} as held
        on held.controller_id = customer_now.controller_id
        and held.party_key = customer_now.party_key
        and held.product_group = package.product_group
        and customer_now.as_of >= held.valid_from
        and customer_now.as_of < held.valid_to
),

coverage as (
    select
        controller_id,
        party_key,
        package_id,
        package_name_zh,
        count(*)::integer as member_count,
        (count(*) filter (where is_held))::integer as held_count,
        string_agg(product_group, ' ' order by product_group collate "C") filter (where not is_held) as missing_groups,
        string_agg(product_group_zh, '、' order by product_group collate "C") filter (where not is_held) as missing_groups_zh
    from member
    group by controller_id, party_key, package_id, package_name_zh
)

select
    coverage.controller_id,
    coverage.party_key,
    coverage.package_id,
    customer_now.as_of,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    coverage.package_name_zh,
    coverage.member_count,
    coverage.held_count,
    coverage.missing_groups,
    coverage.missing_groups_zh,
    coverage.held_count = coverage.member_count as is_hit,
    (
        coverage.held_count between 1 and coverage.member_count - 1
        and coverage.member_count - coverage.held_count <= {{ party_parameter('offer_gap_at_most', 'customer_now.as_of') }}
    ) as is_offer
from coverage
inner join customer_now
    on customer_now.controller_id = coverage.controller_id
    and customer_now.party_key = coverage.party_key
