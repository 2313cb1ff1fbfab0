-- How good the data about a party are, as its controller may know them: by the formula and weights of party_quality_weight.
with figure as (
    select
        attribute.controller_id,
        attribute.party_key,
        max(attribute.party_id) as party_id,
        max(attribute.attribute_value) filter (where attribute.attribute_name = 'party_kind' and attribute.is_surviving) as party_kind,
        count(distinct attribute.source_system) as source_count,
        count(*) as value_count,
        count(*) filter (where attribute.doubt_codes is not null) as doubted_count,
        count(*) filter (where attribute.chosen_by <> 'only_value') as compared_count,
        count(*) filter (where attribute.is_conflict and not attribute.is_surviving) as conflict_count
    from {{ ref('mart_customer_attribute') }} as attribute
    group by attribute.controller_id, attribute.party_key
),

today as (
    select
        placed.controller_id,
        placed.party_key,
        max(system.last_business_date) as as_of
    from {{ ref('bridge_party_source') }} as placed
    inner join {{ ref('dim_source_system') }} as system on system.source_system = placed.source_system
    group by placed.controller_id, placed.party_key
),

-- Per party by the primary key of the attributes: joined as a whole, the planner takes the parties for one and compares all
-- with all.
rate as (
    select
        figure.*,
        today.as_of,
        required.required_weight,
        required.present_weight,
        required.missing_codes,
        required.present_weight / required.required_weight as completeness,
        1 - figure.doubted_count::numeric / figure.value_count as validity,
        case when figure.compared_count = 0 then 1 else 1 - figure.conflict_count::numeric / figure.compared_count end as consistency
    from figure
    inner join today on today.controller_id = figure.controller_id and today.party_key = figure.party_key
    left join lateral (
        select
            sum(requirement.weight) as required_weight,
            coalesce(sum(requirement.weight) filter (where attribute.party_key is not null), 0) as present_weight,
            string_agg(requirement.attribute_name || '_missing', ' ' order by requirement.attribute_name collate "C")
                filter (where attribute.party_key is null) as missing_codes
        from {{ ref('party_quality_requirement') }} as requirement
        left join {{ ref('mart_customer_attribute') }} as attribute
            on attribute.controller_id = figure.controller_id
            and attribute.party_key = figure.party_key
            and attribute.attribute_name = requirement.attribute_name
            and attribute.is_surviving
        where requirement.party_kind = figure.party_kind
            and today.as_of >= requirement.valid_from
            and today.as_of < requirement.valid_to
        having count(*) > 0
    ) as required on true
)

select
    rate.controller_id,
    rate.party_key,
    rate.party_id,
    rate.party_kind,
    rate.as_of,
    rate.source_count::integer as source_count,
    rate.required_weight::numeric(9, 3) as required_weight,
    rate.present_weight::numeric(9, 3) as present_weight,
    rate.missing_codes,
    rate.value_count::integer as value_count,
    rate.doubted_count::integer as doubted_count,
    rate.compared_count::integer as compared_count,
    rate.conflict_count::integer as conflict_count,
    round(rate.completeness, 6)::numeric(7, 6) as completeness,
    round(rate.validity, 6)::numeric(7, 6) as validity,
    round(rate.consistency, 6)::numeric(7, 6) as consistency,
    round(100 * (
        select
            sum(weight.weight * case weight.dimension
                when 'completeness' then round(rate.completeness, 6)
                when 'validity' then round(rate.validity, 6)
                when 'consistency' then round(rate.consistency, 6)
            end) / sum(weight.weight)
        from {{ ref('party_quality_weight') }} as weight
        where rate.as_of >= weight.valid_from and rate.as_of < weight.valid_to
            and (weight.dimension <> 'completeness' or rate.completeness is not null)
    ), 2)::numeric(5, 2) as quality_score
from rate
