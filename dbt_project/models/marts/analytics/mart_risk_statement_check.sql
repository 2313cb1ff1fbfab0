-- Reported sales of a bank's firms beside what taxes, exports and electricity tell of them (C360-60), and whose statements
-- are suspect. Both values are kept; the grid's meters are in fct_statement_check only while there is a basis.
with judged as (
    select
        compared.*,
        count(*) filter (where compared.check_state = 'overstated') over statement as overstated_series_count,
        coalesce(sum(suspicion.weight) filter (where compared.check_state = 'overstated') over statement, 0) as suspicion_weight,
        {{ party_parameter('statement_suspect_weight', 'compared.period_end') }} as suspect_weight
    from {{ ref('fct_statement_check') }} as compared
    left join {{ ref('statement_suspicion') }} as suspicion
        on suspicion.series = compared.series
        and compared.period_end >= suspicion.valid_from
        and compared.period_end < suspicion.valid_to
    window statement as (partition by compared.source_system, compared.statement_id)
),

customer_now as (
    {{ customers_now() }}
)

select
    judged.controller_id,
    judged.source_system,
    judged.statement_id,
    judged.series,
    customer_now.party_key,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    customer_now.industry_code,
    judged.period_kind,
    judged.period_start,
    judged.period_end,
    judged.audit_state,
    judged.verification_state,
    judged.currency,
    judged.reported_sales,
    parameter.series_name_zh,
    judged.series_value,
    judged.implied_sales,
    judged.months_covered,
    judged.months_of_period,
    judged.ratio,
    judged.least_ratio,
    judged.greatest_ratio,
    judged.check_state,
    judged.overstated_series_count::integer as overstated_series_count,
    judged.suspicion_weight::numeric(6, 2) as suspicion_weight,
    judged.suspicion_weight >= judged.suspect_weight as is_suspect
from judged
inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = judged.customer_key
inner join customer_now
    on customer_now.controller_id = judged.controller_id
    and customer_now.party_key = placed.party_key
inner join {{ ref('statement_series') }} as parameter
    on parameter.series = judged.series
    and judged.period_end >= parameter.valid_from
    and judged.period_end < parameter.valid_to
