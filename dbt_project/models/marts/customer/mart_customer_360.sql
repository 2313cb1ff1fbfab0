-- Each controller sees the parties that are its own customers, by its own attributes and its own figures; another
-- controller's figures only while a sharing basis is in force, at the end of the month and now (DESIGN decision 8).
with own_month as (
    select *
    from {{ ref('fct_party_month') }}
),

shared_month as (
    select
        basis.to_controller_id,
        provided.*
    from {{ ref('fct_party_month') }} as provided
    inner join {{ ref('bridge_sharing_basis') }} as basis
        on basis.party_key = provided.party_key
        and basis.from_controller_id = provided.controller_id
        and provided.as_of >= basis.valid_from
        and provided.as_of < basis.valid_to
        and basis.is_current
),

own_customer as (
    select distinct on (placed.controller_id, placed.party_key)
        placed.controller_id,
        placed.party_key,
        placed.customer_key
    from {{ ref('bridge_party_source') }} as placed
    left join {{ ref('survivorship_source') }} as survivorship on survivorship.source_system = placed.source_system
    order by placed.controller_id, placed.party_key, survivorship.survivorship_rank, placed.customer_key
),

accountable as (
    select controller_id, party_key, employee_id, source_system, valid_from, valid_to
    from {{ ref('bridge_party_manager') }}
    where is_accountable
),

tier as (
    select
        controller_id,
        party_key,
        figures_month,
        max(tier_id) filter (where tier_scheme <> 'star') as tier_id,
        max(tier_rank) filter (where tier_scheme = 'star') as star_rank,
        bool_or(is_critical) filter (where tier_scheme <> 'star') as is_critical,
        max(amount_to_next_tier) filter (where tier_scheme <> 'star') as amount_to_next_tier
    from {{ ref('fct_party_tier_month') }}
    group by controller_id, party_key, figures_month
),

last_genuine_contact as (
    select month.controller_id, month.party_key, month.figures_month, max(contact.contacted_at)::date as last_genuine_contact_on
    from {{ ref('fct_party_month') }} as month
    inner join {{ ref('bridge_party_source') }} as placed on placed.party_key = month.party_key
    inner join ({{ standing_rows('fct_contact', ['contact_id']) }}) as contact
        on contact.customer_key = placed.customer_key
        and contact.controller_id = month.controller_id
        and contact.contacted_at < month.as_of + 1
    where contact.outcome = 'reached' and contact.has_note
    group by month.controller_id, month.party_key, month.figures_month
),

-- What only a bank knows, of the row's own bank or of the one that shares with it.
of_bank as (
    select
        segment.*,
        tier.tier_id,
        tier.star_rank,
        tier.is_critical,
        tier.amount_to_next_tier,
        coalesce(coverage.product_group_count, 0) as product_group_count,
        coalesce(coverage.essential_product_count, 0) as essential_product_count,
        coalesce(coverage.account_kind_count, 0) as account_kind_count,
        coverage.retention_rate,
        service.posting_count as own_posting_count,
        service.electronic_count + service.self_service_count as off_counter_posting_count,
        service.genuine_contact_count,
        service.lead_count,
        service.lead_won_count,
        service.complaint_count,
        last_genuine_contact.last_genuine_contact_on
    from {{ ref('fct_party_segment_month') }} as segment
    left join tier using (controller_id, party_key, figures_month)
    left join {{ ref('fct_party_coverage_month') }} as coverage using (controller_id, party_key, figures_month)
    left join {{ ref('fct_party_service_month') }} as service using (controller_id, party_key, figures_month)
    left join last_genuine_contact using (controller_id, party_key, figures_month)
)

select
    own_month.controller_id,
    own_month.party_key,
    own_month.figures_month as snapshot_month,
    own_month.as_of,
    own_month.party_id,
    customer.party_kind,
    {{ masked_name('customer.customer_name', 'customer.party_kind') }} as party_name_masked,
    customer.customer_name as party_name,
    customer.gender,
    (extract(year from age(own_month.as_of, customer.birth_date))::integer / 10 * 10)::integer as age_band_from,
    customer.industry_code,
    customer.firm_size,
    customer.customer_level,
    customer.usage_class,
    customer.importance_grade,
    customer.is_large_customer,
    customer.status as customer_status,
    own_month.relation_from,
    organisation.organisation_id,
    organisation.organisation_name,
    coalesce(accountable.employee_id, customer.grid_manager_no) as accountable_manager_id,
    shared_month.party_key is not null as has_sharing_basis,
{%- set bank = [
    'account_count', 'deposit_account_count', 'deposit_balance', 'deposit_average_balance', 'posting_count',
    'inflow_amount', 'outflow_amount', 'loan_count', 'loan_balance', 'overdue_loan_balance', 'loan_days_past_due',
    'wealth_market_value', 'card_count', 'card_transaction_count', 'card_spend_amount', 'contact_count', 'last_contact_on',
] %}
{%- set grid = ['service_point_count', 'energy_kwh', 'bill_amount', 'billed_kwh', 'arrears_amount', 'arrears_days'] %}
{%- set types = {
    'account_count': 'integer', 'deposit_account_count': 'integer', 'posting_count': 'numeric(18,6)', 'loan_count': 'integer',
    'loan_days_past_due': 'integer', 'card_count': 'integer', 'card_transaction_count': 'integer', 'contact_count': 'integer',
    'last_contact_on': 'date', 'service_point_count': 'integer', 'energy_kwh': 'numeric(18,4)', 'billed_kwh': 'numeric(18,4)',
    'arrears_days': 'integer',
} %}
{%- for kind, columns in [('bank', bank), ('grid', grid)] %}
{%- for column in columns %}
    (case own_month.controller_kind when '{{ kind }}' then own_month.{{ column }} else shared_month.{{ column }} end)::{{ types.get(column, 'numeric(18,2)') }} as {{ column }},
{%- endfor %}
{%- endfor %}
    (array['normal', 'special_mention', 'substandard', 'doubtful', 'loss'])[
        case own_month.controller_kind when 'bank' then own_month.worst_five_class_rank else shared_month.worst_five_class_rank end
    ] as worst_five_class,
    case
        when own_month.controller_kind = 'bank'
            then (own_month.deposit_account_count > 0)::integer + (own_month.loan_count > 0)::integer
                + (own_month.wealth_market_value > 0)::integer + (own_month.card_count > 0)::integer
        when shared_month.party_key is not null
            then (shared_month.deposit_account_count > 0)::integer + (shared_month.loan_count > 0)::integer
                + (shared_month.wealth_market_value > 0)::integer + (shared_month.card_count > 0)::integer
    end as product_line_count,
    (
        case own_month.controller_kind
            when 'bank' then own_month.deposit_balance + own_month.wealth_market_value
            else shared_month.deposit_balance + shared_month.wealth_market_value
        end
    )::numeric(18, 2) as managed_assets,
{%- for column in [
    'corporate_form', 'quality_class', 'relation_age', 'occupation', 'industry', 'life_cycle', 'investment_preference',
    'risk_preference', 'behaviour_preference', 'family_age'
] %}
    of_bank.{{ column }} as {{ column }}_segment,
{%- endfor %}
    of_bank.tier_id,
    of_bank.star_rank::smallint as star_rank,
    of_bank.is_critical as is_critical_band,
    of_bank.amount_to_next_tier::numeric(18, 2) as amount_to_next_tier,
    of_bank.product_group_count::integer as product_group_count,
    of_bank.essential_product_count::integer as essential_product_count,
    of_bank.account_kind_count::integer as account_kind_count,
    of_bank.retention_rate::numeric(7, 6) as retention_rate,
    of_bank.own_posting_count::numeric(18, 6) as own_posting_count,
    of_bank.off_counter_posting_count::numeric(18, 6) as off_counter_posting_count,
    (of_bank.off_counter_posting_count / nullif(of_bank.own_posting_count, 0))::numeric(9, 6) as substitution_rate,
    of_bank.genuine_contact_count::integer as genuine_contact_count,
    of_bank.last_genuine_contact_on,
    of_bank.lead_count::integer as lead_count,
    of_bank.lead_won_count::integer as lead_won_count,
    of_bank.complaint_count::integer as complaint_count
from own_month
inner join own_customer
    on own_customer.controller_id = own_month.controller_id and own_customer.party_key = own_month.party_key
inner join {{ ref('dim_customer') }} as customer
    on customer.customer_key = own_customer.customer_key
    and own_month.as_of >= customer.valid_from
    and own_month.as_of < customer.covers_to
left join {{ ref('dim_organisation') }} as organisation
    on organisation.organisation_key = customer.home_organisation_key
    and organisation.organisation_key > 0
    and own_month.as_of >= organisation.valid_from
    and own_month.as_of < organisation.covers_to
left join accountable
    on accountable.controller_id = own_month.controller_id
    and accountable.party_key = own_month.party_key
    and own_month.as_of >= accountable.valid_from
    and own_month.as_of < accountable.valid_to
left join shared_month
    on shared_month.to_controller_id = own_month.controller_id
    and shared_month.party_key = own_month.party_key
    and shared_month.figures_month = own_month.figures_month
left join of_bank
    on of_bank.party_key = own_month.party_key
    and of_bank.figures_month = own_month.figures_month
    and of_bank.controller_id = case own_month.controller_kind when 'bank' then own_month.controller_id else shared_month.controller_id end
