{{ config(materialized='view') }}

-- Months of cards over all currencies, each posting at the rate of its day: amounts of fct_card_month that can be added.
select
    source_system,
    controller_id,
    card_key,
    date_trunc('month', accounting_date)::date as activity_month,
    max(reporting_currency) as reporting_currency,
    {%- for name, types in {
        'purchase': ['purchase'], 'cash': ['cash'], 'returned': ['refund', 'reversal'], 'fee': ['fee', 'interest'],
        'repayment': ['repayment'],
    }.items() %}
    coalesce(sum(amount_reporting) filter (where transaction_type in ('{{ types | join("', '") }}')), 0)::numeric(18, 2)
        as {{ name }}_amount_reporting,
    {%- endfor %}
    coalesce(sum(amount_reporting) filter (where is_fraud), 0)::numeric(18, 2) as fraud_amount_reporting,
    (coalesce(sum(row_sign) filter (where amount_reporting is null), 0))::integer as unrated_count
from {{ ref('fct_card_transaction_reporting') }}
group by source_system, controller_id, card_key, date_trunc('month', accounting_date)
