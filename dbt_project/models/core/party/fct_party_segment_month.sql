{{ config(post_hook="analyze {{ this }}") }}
{%- set told = {
    'figure': {
        'party_id': 'text', 'as_of': 'date', 'relation_from': 'date', 'account_count': 'bigint',
        'deposit_balance': 'numeric', 'assets': 'numeric',
    },
    'figure_before': {'assets_before': 'numeric'},
    'member': {
        'party_kind': 'text', 'occupation': 'text', 'industry_code': 'text', 'birth_date': 'date', 'status': 'text',
    },
    'group_member': {'group_count': 'bigint'},
    'rating_in_force': {'quality_class': 'text'},
    'risk_assessment_in_force': {'risk_level': 'text'},
    'wealth_by_risk': {'wealth': 'numeric', 'low_risk_wealth': 'numeric', 'high_risk_wealth': 'numeric'},
    'service': {
        'own_postings': 'numeric', 'electronic_count': 'numeric', 'self_service_count': 'numeric', 'staffed_count': 'numeric',
    },
    'activity': {'lately_posted': 'numeric'},
} %}

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
    select month.*, month.deposit_balance + month.wealth_market_value as assets
    from {{ ref('fct_party_month') }} as month
    where month.controller_kind = 'bank'
),

figure as (
    select controller_id, party_key, figures_month, party_id, as_of, relation_from, account_count, deposit_balance, assets
    from figures
),

-- The assets of a month are those of before for the month that is compared with it.
figure_before as (
    select
        figures.controller_id,
        figures.party_key,
        rule.figures_month,
        figures.assets as assets_before
    from figures
    inner join rule_of_month as rule
        on rule.controller_id = figures.controller_id
        and rule.figures_month - make_interval(months => rule.compared_months::integer) = figures.figures_month
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
    select figures.controller_id, figures.party_key, figures.figures_month, count(*) as group_count
    from figures
    inner join {{ ref('bridge_party_group') }} as relation
        on figures.party_key in (relation.member_party_key, relation.group_party_key)
        and relation.controller_id = figures.controller_id
        and figures.as_of >= relation.valid_from
        and figures.as_of < relation.valid_to
    group by figures.controller_id, figures.party_key, figures.figures_month
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
        controller_id,
        party_key,
        figures_month,
        posting_count as own_postings,
        electronic_count,
        self_service_count,
        staffed_count
    from {{ ref('fct_party_service_month') }}
),

activity as (
    select service.controller_id, service.party_key, rule.figures_month, sum(service.own_postings) as lately_posted
    from service
    inner join rule_of_month as rule
        on rule.controller_id = service.controller_id
        and service.figures_month > rule.figures_month - make_interval(months => rule.quiet_months::integer)
        and service.figures_month <= rule.figures_month
    group by service.controller_id, service.party_key, rule.figures_month
),

-- Stacked and gathered, as in fct_party_month.
stacked as (
{%- for part, own in told.items() %}
    select
        controller_id,
        party_key,
        figures_month
        {%- for columns in told.values() -%}
        {%- for column, type in columns.items() -%}
        , {% if column in own %}{{ column }}{% else %}null::{{ type }} as {{ column }}{% endif %}
        {%- endfor -%}
        {%- endfor %}
    from {{ part }}
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
),

gathered as (
    select
        controller_id,
        party_key,
        figures_month
        {%- for columns in told.values() -%}
        {%- for column in columns -%}
        , max({{ column }}) as {{ column }}
        {%- endfor -%}
        {%- endfor %}
    from stacked
    group by controller_id, party_key, figures_month
),

measured as (
    select
        gathered.*,
        gathered.group_count > 0 as is_group_member,
        extract(year from age(gathered.as_of, gathered.birth_date)) as age,
        gathered.relation_from > gathered.as_of - make_interval(months => rule.new_relation_months::integer) as is_new,
        rule.growth_share,
        rule.decline_share,
        rule.main_channel_share,
        rule.main_investment_share,
        rule.young_family_below,
        rule.elderly_family_from
    from gathered
    inner join rule_of_month as rule
        on rule.controller_id = gathered.controller_id
        and rule.figures_month = gathered.figures_month
    where gathered.as_of is not null
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
