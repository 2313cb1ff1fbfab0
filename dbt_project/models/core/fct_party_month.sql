{{ config(post_hook="analyze {{ this }}") }}
{%- set figures = {
    'account_figures': {
        'account_count': 'bigint', 'deposit_account_count': 'bigint',
        'deposit_balance': 'numeric', 'deposit_average_balance': 'numeric',
    },
    'posting_figures': {
        'posting_count': 'numeric', 'inflow_amount': 'numeric', 'outflow_amount': 'numeric',
        'sweep_in_amount': 'numeric', 'sweep_out_amount': 'numeric',
    },
    'loan_figures': {
        'loan_count': 'bigint', 'loan_balance': 'numeric', 'overdue_loan_balance': 'numeric',
        'loan_days_past_due': 'integer', 'worst_five_class_rank': 'integer',
    },
    'wealth_figures': {'wealth_market_value': 'numeric'},
    'card_figures': {'card_count': 'bigint'},
    'spend_figures': {'card_transaction_count': 'bigint', 'card_spend_amount': 'numeric', 'card_fraud_count': 'bigint'},
    'contact_figures': {'contact_count': 'bigint', 'last_contact_on': 'date'},
    'energy_figures': {'service_point_count': 'bigint', 'energy_kwh': 'numeric'},
    'bill_figures': {'bill_amount': 'numeric', 'billed_kwh': 'numeric'},
    'arrear_figures': {'arrears_amount': 'numeric', 'arrears_days': 'integer'},
} %}
{%- set without_zero = ['worst_five_class_rank', 'last_contact_on'] %}

-- Every controller's own figures about its parties, month by month: what mart_customer_360 combines through the gate.
-- Amounts are in the controller's reporting currency, each at the rate of its day; what is in a currency without a rate is
-- not in them (decision 0024). Sweeps of cash pools are neither counted nor flows (资金归集): they stand beside them.
with horizon as (
    select placed.controller_id, max(system.last_business_date) as last_day
    from {{ ref('dim_source_system') }} as system
    inner join (select distinct source_system, controller_id from {{ ref('bridge_party_source') }}) as placed
        on placed.source_system = system.source_system
    group by placed.controller_id
),

month as (
    select
        horizon.controller_id,
        controller.controller_kind,
        day.month_start,
        least(day.month_end, horizon.last_day) as as_of
    from horizon
    inner join {{ ref('controller') }} as controller on controller.controller_id = horizon.controller_id
    inner join {{ ref('dim_date') }} as day
        on day.day_of_month = 1
        and day.month_start <= horizon.last_day
        and day.month_start > horizon.last_day - make_interval(months => {{ var('customer_360_months') }})
),

relation as (
    select
        placed.controller_id,
        placed.party_key,
        min(placed.party_id) as party_id,
        min(coalesce(customer.opened_on, customer.life_from)) as relation_from
    from {{ ref('bridge_party_source') }} as placed
    inner join {{ ref('dim_customer') }} as customer
        on customer.customer_key = placed.customer_key and customer.valid_from = date '0001-01-01'
    group by placed.controller_id, placed.party_key
),

party_month as (
    select relation.*, month.controller_kind, month.month_start, month.as_of
    from relation
    inner join month on month.controller_id = relation.controller_id and month.as_of >= relation.relation_from
),

balance_of_month as (
    select
        balance.account_key,
        month.month_start,
        sum({{ in_reporting_currency('balance.balance', 'rate') }})
            filter (where balance.valid_to > month.as_of and rate.valid_to > month.as_of) as balance_at_end,
        sum({{ in_reporting_currency('balance.balance', 'rate') }} * (
            least(balance.valid_to, rate.valid_to, month.as_of + 1)
            - greatest(balance.valid_from, rate.valid_from, month.month_start)
        )) / (month.as_of + 1 - month.month_start) as average_balance
    from {{ ref('fct_account_balance') }} as balance
    inner join month
        on month.controller_id = balance.controller_id
        and balance.valid_from <= month.as_of
        and balance.valid_to > month.month_start
    inner join {{ ref('fct_reporting_rate') }} as rate
        on rate.controller_id = balance.controller_id
        and rate.currency = balance.currency
        and rate.valid_from < least(balance.valid_to, month.as_of + 1)
        and rate.valid_to > greatest(balance.valid_from, month.month_start)
    group by balance.account_key, month.month_start, month.as_of
),

account_figures as (
    select
        month.controller_id,
        month.month_start,
        holder.party_key,
        count(distinct account.account_key) filter (where account.status is distinct from 'closed') as account_count,
        count(distinct account.account_key) filter (
            where account.status is distinct from 'closed' and coalesce(product.product_line, 'deposit') = 'deposit'
        ) as deposit_account_count,
        sum(balance_of_month.balance_at_end * holder.share)
            filter (where coalesce(product.product_line, 'deposit') = 'deposit') as deposit_balance,
        sum(balance_of_month.average_balance * holder.share)
            filter (where coalesce(product.product_line, 'deposit') = 'deposit') as deposit_average_balance
    from month
    inner join {{ ref('dim_account') }} as account
        on account.controller_id = month.controller_id
        and month.as_of >= account.valid_from
        and month.as_of < account.valid_to
        and month.as_of >= coalesce(account.opened_on, account.valid_from)
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.account_key = account.account_key
        and holder.is_owner
        and month.as_of >= holder.valid_from
        and month.as_of < holder.valid_to
    left join {{ ref('dim_product') }} as product
        on product.product_key = account.product_key
        and month.as_of >= product.valid_from
        and month.as_of < product.covers_to
    left join balance_of_month
        on balance_of_month.account_key = account.account_key and balance_of_month.month_start = month.month_start
    group by month.controller_id, month.month_start, holder.party_key
),

posting_figures as (
    select
        posting.controller_id,
        date_trunc('month', posting.accounting_date)::date as month_start,
        holder.party_key,
        sum(posting.row_sign * holder.share) filter (where posting.transaction_type <> 'sweep') as posting_count,
        {%- for column, condition in {
            'inflow_amount': "<> 'sweep' and posting.direction = 'C'",
            'outflow_amount': "<> 'sweep' and posting.direction = 'D'",
            'sweep_in_amount': "= 'sweep' and posting.direction = 'C'",
            'sweep_out_amount': "= 'sweep' and posting.direction = 'D'",
        }.items() %}
        sum(posting.amount_reporting * holder.share)
            filter (where posting.transaction_type {{ condition }}) as {{ column }}{{ ',' if not loop.last else '' }}
        {%- endfor %}
    from {{ ref('fct_account_transaction_reporting') }} as posting
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.account_key = posting.account_key
        and holder.is_owner
        and posting.accounting_date >= holder.valid_from
        and posting.accounting_date < holder.valid_to
    inner join month
        on month.controller_id = posting.controller_id
        and month.month_start = date_trunc('month', posting.accounting_date)::date
    group by 1, 2, 3
),

loan_figures as (
    select
        loan.controller_id,
        loan.loan_month as month_start,
        coalesce(placed.party_key, holder.party_key, -1) as party_key,
        count(distinct loan.loan_key) filter (where loan.status in ('running', 'overdue')) as loan_count,
        sum(loan.outstanding_principal_reporting * coalesce(holder.share, 1)) filter (where loan.status <> 'written_off') as loan_balance,
        sum(loan.outstanding_principal_reporting * coalesce(holder.share, 1))
            filter (where loan.status = 'overdue' or loan.days_past_due > 0) as overdue_loan_balance,
        max(loan.days_past_due) as loan_days_past_due,
        max(case loan.five_class
            when 'normal' then 1 when 'special_mention' then 2 when 'substandard' then 3 when 'doubtful' then 4 when 'loss' then 5
        end) as worst_five_class_rank
    from {{ ref('fct_loan_month') }} as loan
    inner join month
        on month.controller_id = loan.controller_id
        and month.month_start = loan.loan_month
    left join {{ ref('bridge_party_source') }} as placed on placed.customer_key = loan.customer_key
    left join {{ ref('bridge_account_party') }} as holder
        on placed.party_key is null
        and holder.account_key = loan.account_key
        and holder.is_owner
        and loan.as_of >= holder.valid_from
        and loan.as_of < holder.valid_to
    group by 1, 2, 3
),

wealth_figures as (
    select
        month.controller_id,
        month.month_start,
        placed.party_key,
        sum({{ in_reporting_currency('holding.market_value', 'rate') }}) as wealth_market_value
    from {{ ref('fct_holding') }} as holding
    inner join month
        on month.controller_id = holding.controller_id
        and month.as_of >= holding.valid_from
        and month.as_of < holding.valid_to
    {{ join_reporting_rate('rate', 'holding.controller_id', 'holding.currency', 'month.as_of') }}
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = holding.customer_key
    group by month.controller_id, month.month_start, placed.party_key
),

card_figures as (
    select month.controller_id, month.month_start, placed.party_key, count(*) as card_count
    from month
    inner join {{ ref('dim_card') }} as card
        on card.controller_id = month.controller_id
        and month.as_of >= card.valid_from
        and month.as_of < card.valid_to
        and month.as_of >= coalesce(card.issued_on, card.valid_from)
        and card.status is distinct from 'closed'
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = card.customer_key
    group by month.controller_id, month.month_start, placed.party_key
),

spend_figures as (
    select
        spend.controller_id,
        month.month_start,
        placed.party_key,
        sum(spend.row_sign) as card_transaction_count,
        sum(case spend.direction when 'D' then spend.amount_reporting else -spend.amount_reporting end)
            filter (where spend.transaction_type in ('purchase', 'cash', 'refund', 'instalment', 'reversal')) as card_spend_amount,
        sum(spend.row_sign) filter (where spend.is_fraud) as card_fraud_count
    from {{ ref('fct_card_transaction_reporting') }} as spend
    inner join month
        on month.controller_id = spend.controller_id
        and month.month_start = date_trunc('month', spend.accounting_date)::date
    inner join {{ ref('dim_card') }} as card on card.card_version_key = spend.card_version_key
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = card.customer_key
    group by spend.controller_id, month.month_start, placed.party_key
),

contact_figures as (
    select
        month.controller_id,
        month.month_start,
        placed.party_key,
        max(contact.contacted_at)::date as last_contact_on,
        sum(contact.row_sign) filter (where contact.contacted_at >= month.month_start) as contact_count
    from {{ ref('fct_contact') }} as contact
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = contact.customer_key
    inner join month on month.controller_id = contact.controller_id and contact.contacted_at < month.as_of + 1
    group by month.controller_id, month.month_start, placed.party_key
),

energy_figures as (
    select
        energy.controller_id,
        month.month_start,
        placed.party_key,
        sum(energy.kwh) as energy_kwh,
        count(distinct energy.service_point_key) as service_point_count
    from (
        select controller_id, service_point_key, service_point_version_key, reading_date, kwh from {{ ref('fct_energy_daily') }}
    ) as energy
    inner join month
        on month.controller_id = energy.controller_id and month.month_start = date_trunc('month', energy.reading_date)::date
    inner join {{ ref('dim_service_point') }} as service_point
        on service_point.service_point_version_key = energy.service_point_version_key
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = service_point.customer_key
    group by energy.controller_id, month.month_start, placed.party_key
),

bill_figures as (
    select
        bill.controller_id,
        bill.billing_month as month_start,
        placed.party_key,
        sum(bill.amount) as bill_amount,
        sum(bill.quantity) filter (where bill.component = 'energy' and bill.unit = 'kWh') as billed_kwh
    from {{ ref('fct_grid_bill') }} as bill
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = bill.customer_key
    group by bill.controller_id, bill.billing_month, placed.party_key
),

arrear_figures as (
    select
        month.controller_id,
        month.month_start,
        placed.party_key,
        sum(receivable.overdue_amount) as arrears_amount,
        max(receivable.days_overdue) as arrears_days
    from month
    inner join lateral (
        select max(as_of) as last_record
        from {{ ref('fct_receivable') }} as record
        where record.controller_id = month.controller_id and record.as_of between month.month_start and month.as_of
    ) as record on true
    inner join {{ ref('fct_receivable') }} as receivable
        on receivable.controller_id = month.controller_id and receivable.as_of = record.last_record
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = receivable.customer_key
    group by month.controller_id, month.month_start, placed.party_key
),

-- Stacked and gathered, not joined one by one: the planner takes each for a few rows and would compare all with all.
stacked_figures as (
{%- for figure, own in figures.items() %}
    select
        controller_id,
        party_key,
        month_start
        {%- for columns in figures.values() -%}
        {%- for column, type in columns.items() -%}
        , {% if column in own %}{{ column }}{% else %}null::{{ type }} as {{ column }}{% endif %}
        {%- endfor -%}
        {%- endfor %}
    from {{ figure }}
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
),

figures_of_month as (
    select
        controller_id,
        party_key,
        month_start
        {%- for columns in figures.values() -%}
        {%- for column in columns -%}
        , max({{ column }}) as {{ column }}
        {%- endfor -%}
        {%- endfor %}
    from stacked_figures
    group by controller_id, party_key, month_start
)

select
    party_month.controller_id,
    party_month.controller_kind,
    party_month.party_key,
    party_month.party_id,
    party_month.month_start as figures_month,
    party_month.as_of,
    party_month.relation_from
    {%- for columns in figures.values() -%}
    {%- for column in columns -%}
    , {% if column in without_zero %}figure.{{ column }}{% else %}coalesce(figure.{{ column }}, 0) as {{ column }}{% endif %}
    {%- endfor -%}
    {%- endfor %}
from party_month
left join figures_of_month as figure
    on figure.controller_id = party_month.controller_id
    and figure.party_key = party_month.party_key
    and figure.month_start = party_month.month_start
