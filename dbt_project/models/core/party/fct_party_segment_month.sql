{{ config(post_hook="analyze {{ this }}") }}

-- In which segment of every dimension a party of a bank stands at the end of a month, or 'unknown' (PAIN-03). What follows
-- from figures is told by the bank's own figures only.
with rule_of_month as (
    select
        month.controller_id,
        month.figures_month
{%- for parameter in [
    'new_relation_months', 'compared_months', 'growth_share', 'decline_share', 'quiet_months', 'main_channel_share',
    'main_investment_share', 'young_family_below', 'elderly_family_from'
] %},
        {{ party_parameter(parameter, 'month.as_of') }} as {{ parameter }}
{%- endfor %}
    from (select distinct controller_id, figures_month, as_of from {{ ref('fct_party_month') }}) as month
),

figures as (
    select
        month.*,
        month.deposit_balance + month.wealth_market_value as assets,
        before.deposit_balance + before.wealth_market_value as assets_before
    from {{ ref('fct_party_month') }} as month
    inner join rule_of_month as rule
        on rule.controller_id = month.controller_id
        and rule.figures_month = month.figures_month
    left join {{ ref('fct_party_month') }} as before
        on before.controller_id = month.controller_id
        and before.party_key = month.party_key
        and before.figures_month = month.figures_month - make_interval(months => rule.compared_months::integer)
    where month.controller_kind = 'bank'
),

member as (
    select distinct on (figures.controller_id, figures.party_key, figures.figures_month)
        figures.controller_id,
        figures.party_key,
        figures.figures_month,
        customer.party_kind,
        customer.occupation,
        customer.industry_code,
        customer.birth_date,
        customer.status
    from figures
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.party_key = figures.party_key
        and placed.controller_id = figures.controller_id
    inner join {{ ref('dim_customer') }} as customer
        on customer.customer_key = placed.customer_key
        and figures.as_of >= customer.valid_from
        and figures.as_of < customer.covers_to
    left join {{ ref('survivorship_source') }} as survivorship on survivorship.source_system = placed.source_system
    order by
        figures.controller_id, figures.party_key, figures.figures_month, survivorship.survivorship_rank, placed.customer_key
),

group_member as (
    select distinct figures.controller_id, figures.party_key, figures.figures_month
    from figures
    inner join {{ ref('bridge_party_group') }} as relation
        on figures.party_key in (relation.member_party_key, relation.group_party_key)
        and relation.controller_id = figures.controller_id
        and figures.as_of >= relation.valid_from
        and figures.as_of < relation.valid_to
),

rating_in_force as (
    select distinct on (placed.controller_id, placed.party_key, figures.figures_month)
        placed.controller_id,
        placed.party_key,
        figures.figures_month,
        class.quality_class
    from figures
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.party_key = figures.party_key
        and placed.controller_id = figures.controller_id
    inner join {{ ref('dim_rating') }} as rating
        on rating.customer_key = placed.customer_key
        and figures.as_of >= rating.valid_from
        and figures.as_of < rating.valid_to
        and rating.rated_on <= figures.as_of
        and coalesce(rating.expires_on, date '9999-12-31') > figures.as_of
    inner join {{ ref('credit_quality_class') }} as class
        on class.rating = rating.rating
        and figures.as_of >= class.valid_from
        and figures.as_of < class.valid_to
    order by placed.controller_id, placed.party_key, figures.figures_month, rating.rated_on desc, rating.rating_key
),

risk_assessment_in_force as (
    select distinct on (placed.controller_id, placed.party_key, figures.figures_month)
        placed.controller_id,
        placed.party_key,
        figures.figures_month,
        assessment.risk_level
    from figures
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.party_key = figures.party_key
        and placed.controller_id = figures.controller_id
    inner join {{ ref('dim_risk_assessment') }} as assessment
        on assessment.customer_key = placed.customer_key
        and figures.as_of >= assessment.valid_from
        and figures.as_of < assessment.valid_to
        and assessment.assessed_on <= figures.as_of
        and coalesce(assessment.expires_on, date '9999-12-31') > figures.as_of
    order by
        placed.controller_id, placed.party_key, figures.figures_month, assessment.assessed_on desc,
        assessment.risk_assessment_key
),

wealth_by_risk as (
    select
        figures.controller_id,
        figures.party_key,
        figures.figures_month,
        sum(holding.market_value) as wealth,
        sum(holding.market_value) filter (where product.risk_level in ('R1', 'R2')) as low_risk_wealth,
        sum(holding.market_value) filter (where product.risk_level in ('R4', 'R5')) as high_risk_wealth
    from figures
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.party_key = figures.party_key
        and placed.controller_id = figures.controller_id
    inner join {{ ref('fct_holding') }} as holding
        on holding.customer_key = placed.customer_key
        and figures.as_of >= holding.valid_from
        and figures.as_of < holding.valid_to
    inner join {{ ref('dim_product') }} as product
        on product.product_key = holding.product_key
        and figures.as_of >= product.valid_from
        and figures.as_of < product.covers_to
    group by figures.controller_id, figures.party_key, figures.figures_month
),

service as (
    select
        month.controller_id,
        month.party_key,
        month.figures_month,
        sum(lately.posting_count) as lately_posted,
        sum(lately.posting_count) filter (where lately.figures_month = month.figures_month) as own_postings,
        sum(lately.electronic_count) filter (where lately.figures_month = month.figures_month) as electronic_count,
        sum(lately.self_service_count) filter (where lately.figures_month = month.figures_month) as self_service_count,
        sum(lately.staffed_count) filter (where lately.figures_month = month.figures_month) as staffed_count
    from {{ ref('fct_party_service_month') }} as month
    inner join rule_of_month as rule
        on rule.controller_id = month.controller_id
        and rule.figures_month = month.figures_month
    inner join {{ ref('fct_party_service_month') }} as lately
        on lately.controller_id = month.controller_id
        and lately.party_key = month.party_key
        and lately.figures_month > month.figures_month - make_interval(months => rule.quiet_months::integer)
        and lately.figures_month <= month.figures_month
    group by month.controller_id, month.party_key, month.figures_month
),

measured as (
    select
        figures.*,
        member.party_kind,
        member.occupation,
        member.industry_code,
        member.status,
        extract(year from age(figures.as_of, member.birth_date)) as age,
        group_member.party_key is not null as is_group_member,
        rating_in_force.quality_class,
        risk_assessment_in_force.risk_level,
        wealth_by_risk.wealth,
        wealth_by_risk.low_risk_wealth,
        wealth_by_risk.high_risk_wealth,
        service.own_postings,
        service.electronic_count,
        service.self_service_count,
        service.staffed_count,
        service.lately_posted,
        figures.relation_from > figures.as_of - make_interval(months => rule.new_relation_months::integer) as is_new,
        rule.growth_share,
        rule.decline_share,
        rule.main_channel_share,
        rule.main_investment_share,
        rule.young_family_below,
        rule.elderly_family_from
    from figures
    inner join rule_of_month as rule using (controller_id, figures_month)
    inner join member using (controller_id, party_key, figures_month)
    left join group_member using (controller_id, party_key, figures_month)
    left join rating_in_force using (controller_id, party_key, figures_month)
    left join risk_assessment_in_force using (controller_id, party_key, figures_month)
    left join wealth_by_risk using (controller_id, party_key, figures_month)
    left join service using (controller_id, party_key, figures_month)
)

select
    controller_id,
    party_key,
    party_id,
    figures_month,
    as_of,
    coalesce(party_kind, 'unknown') as nature,
    case
        when party_kind = 'person' then 'not_applicable'
        when is_group_member then 'system'
        when party_kind = 'firm' then 'independent'
        else 'unknown'
    end as corporate_form,
    case when party_kind = 'person' then 'not_applicable' else coalesce(quality_class, 'unknown') end as quality_class,
    case when is_new then 'new' when not is_new then 'old' else 'unknown' end as relation_age,
    case when party_kind = 'firm' then 'not_applicable' else coalesce(occupation, 'unknown') end as occupation,
    case when party_kind = 'person' then 'not_applicable' else coalesce(industry_code, 'unknown') end as industry,
    case
        when status in ('closed', 'deceased') then 'closed'
        when is_new then 'new'
        when account_count > 0 and coalesce(lately_posted, 0) <= 0 then 'dormant'
        when assets_before > 0 and assets <= assets_before * (1 - decline_share) then 'declining'
        when assets_before > 0 and assets >= assets_before * (1 + growth_share) then 'growing'
        when assets_before > 0 then 'mature'
        else 'unknown'
    end as life_cycle,
    case
        when wealth > 0 and high_risk_wealth >= wealth * main_investment_share then 'high_risk'
        when wealth > 0 and low_risk_wealth >= wealth * main_investment_share then 'low_risk'
        when wealth > 0 then 'balanced'
        when deposit_balance > 0 then 'deposits'
        else 'unknown'
    end as investment_preference,
    case
        when party_kind = 'firm' then 'not_applicable'
        when risk_level in ('C1', 'C2') then 'conservative'
        when risk_level = 'C3' then 'moderate'
        when risk_level in ('C4', 'C5') then 'aggressive'
        else 'unknown'
    end as risk_preference,
    case
        when coalesce(own_postings, 0) <= 0 then 'unknown'
        when electronic_count >= own_postings * main_channel_share then 'electronic'
        when self_service_count >= own_postings * main_channel_share then 'self_service'
        when staffed_count >= own_postings * main_channel_share then 'staffed'
        else 'mixed'
    end as behaviour_preference,
    case
        when party_kind = 'firm' then 'not_applicable'
        when age is null then 'unknown'
        when age < young_family_below then 'young'
        when age < elderly_family_from then 'middle'
        else 'elderly'
    end as family_age
from measured
