{{ config(indexes=[{'columns': ['period_month', 'manager_id', 'metric_id']}]) }}

-- Every contribution of a customer, account, card or event to a metric of a manager. Metrics are the sums of these rows.
with manager as (
    select
        manager_id,
        employee_key,
        period_month,
        as_of,
        days,
        organisation_id,
        controller_id
    from {{ ref('mart_manager_portfolio') }}
),

-- Stretches of days in a month on which a manager has a customer.
assignment_in_month as (
    select
        manager.manager_id,
        manager.period_month,
        manager.as_of,
        assignment.party_key,
        assignment.customer_key,
        sum(assignment.share) as share,
        greatest(assignment.valid_from, manager.period_month) as managed_from,
        least(assignment.valid_to, manager.as_of + 1) as managed_to,
        assignment.valid_to > manager.as_of as is_managed_at_end
    from manager
    inner join {{ ref('bridge_party_manager') }} as assignment
        on manager.employee_key = assignment.employee_key
        and assignment.valid_from <= manager.as_of
        and assignment.valid_to > manager.period_month
    group by
        manager.manager_id,
        manager.period_month,
        manager.as_of,
        assignment.party_key,
        assignment.customer_key,
        assignment.valid_from,
        assignment.valid_to
),

assignment_at_end as (
    select *
    from assignment_in_month
    where is_managed_at_end
),

deposit_account as (
    select
        account.account_key,
        account.account_id
    from {{ ref('dim_account') }} as account
    inner join {{ ref('dim_product') }} as product
        on account.product_key = product.product_key and product.is_current
    where account.is_current and product.product_line = 'deposit'
),

account_day as (
    select
        assignment_in_month.manager_id,
        assignment_in_month.period_month,
        assignment_in_month.party_key,
        assignment_in_month.customer_key,
        deposit_account.account_id,
        balance.account_key,
        {{ in_reporting_currency('balance.balance', 'rate') }} as balance,
        holder.share * assignment_in_month.share as share,
        least(balance.valid_to, rate.valid_to, holder.valid_to, assignment_in_month.managed_to)
        - greatest(balance.valid_from, rate.valid_from, holder.valid_from, assignment_in_month.managed_from) as days
    from assignment_in_month
    inner join {{ ref('bridge_account_party') }} as holder
        on assignment_in_month.customer_key = holder.customer_key
        and holder.is_owner
        and holder.valid_from < assignment_in_month.managed_to
        and holder.valid_to > assignment_in_month.managed_from
    inner join deposit_account on holder.account_key = deposit_account.account_key
    inner join {{ ref('fct_account_balance') }} as balance
        on holder.account_key = balance.account_key
        and balance.valid_from < least(holder.valid_to, assignment_in_month.managed_to)
        and balance.valid_to > greatest(holder.valid_from, assignment_in_month.managed_from)
    inner join {{ ref('fct_reporting_rate') }} as rate
        on balance.controller_id = rate.controller_id
        and balance.currency = rate.currency
        and rate.valid_from < least(balance.valid_to, holder.valid_to, assignment_in_month.managed_to)
        and rate.valid_to > greatest(balance.valid_from, holder.valid_from, assignment_in_month.managed_from)
),

deposit_contribution as (
    select
        manager_id,
        period_month,
        'deposit_average_balance' as metric_id,
        account_key || '/' || customer_key as evidence_id,
        party_key,
        customer_key,
        'account' as subject_kind,
        {{ masked_number('account_id') }} as subject_label,
        sum(balance * share * days) as numerator,
        null::numeric as denominator,
        sum(share * days) / nullif(sum(days), 0) as share
    from account_day
    group by manager_id, period_month, account_key, account_id, party_key, customer_key
),

new_customer_contribution as (
    select
        assigned.manager_id,
        assigned.period_month,
        'new_customers' as metric_id,
        assigned.customer_key::text as evidence_id,
        assigned.party_key,
        assigned.customer_key,
        'customer' as subject_kind,
        to_char(customer.opened_on, 'YYYY-MM-DD') as subject_label,
        assigned.share as numerator,
        null::numeric as denominator,
        assigned.share
    from assignment_at_end as assigned
    inner join {{ ref('dim_customer') }} as customer
        on assigned.customer_key = customer.customer_key
        and customer.is_current
        and customer.opened_on between assigned.period_month and assigned.as_of
),

loan_contribution as (
    select
        assigned.manager_id,
        assigned.period_month,
        'loan_balance' as metric_id,
        loan.loan_key || '/' || assigned.customer_key as evidence_id,
        assigned.party_key,
        assigned.customer_key,
        'loan' as subject_kind,
        loan.loan_id as subject_label,
        loan.outstanding_principal_reporting * assigned.share as numerator,
        null::numeric as denominator,
        assigned.share
    from assignment_at_end as assigned
    inner join {{ ref('fct_loan_month') }} as loan
        on assigned.customer_key = loan.customer_key
        and assigned.period_month = loan.loan_month
        and loan.status <> 'written_off'
        and loan.outstanding_principal_reporting <> 0
),

wealth_purchase as (
    select
        trade.source_system,
        trade.trade_id,
        trade.customer_key,
        trade.employee_key,
        trade.traded_at::date as traded_on,
        sum(trade.amount) as amount
    from {{ ref('fct_wealth_trade') }} as trade
    where trade.side = 'buy'
    group by trade.source_system, trade.trade_id, trade.customer_key, trade.employee_key, trade.traded_at::date
    having sum(trade.amount) <> 0
),

wealth_contribution as (
    select
        manager.manager_id,
        manager.period_month,
        'wealth_sales' as metric_id,
        purchase.trade_id as evidence_id,
        placed.party_key,
        purchase.customer_key,
        'trade' as subject_kind,
        to_char(purchase.traded_on, 'YYYY-MM-DD') || ' ' || purchase.trade_id as subject_label,
        purchase.amount as numerator,
        null::numeric as denominator,
        1::numeric as share
    from wealth_purchase as purchase
    inner join manager
        on purchase.employee_key = manager.employee_key
        and purchase.traded_on between manager.period_month and manager.as_of
    left join {{ ref('bridge_party_source') }} as placed
        on purchase.customer_key = placed.customer_key
    where purchase.employee_key > 0
    union all
    select
        assigned.manager_id,
        assigned.period_month,
        'wealth_sales',
        purchase.trade_id,
        assigned.party_key,
        purchase.customer_key,
        'trade',
        to_char(purchase.traded_on, 'YYYY-MM-DD') || ' ' || purchase.trade_id,
        purchase.amount * assigned.share,
        null,
        assigned.share
    from wealth_purchase as purchase
    inner join assignment_in_month as assigned
        on purchase.customer_key = assigned.customer_key
        and purchase.traded_on >= assigned.managed_from
        and purchase.traded_on < assigned.managed_to
    where purchase.employee_key < 0
),

customer_reached as (
    select
        contact.employee_key,
        contact.customer_key,
        contact.contacted_at::date as contacted_on
    from {{ ref('fct_contact') }} as contact
    where contact.outcome in ('reached', 'deal')
    group by contact.employee_key, contact.customer_key, contact.contacted_at::date
    having sum(contact.row_sign) > 0
),

contact_contribution as (
    select
        manager.manager_id,
        manager.period_month,
        'contacts_daily' as metric_id,
        reached.customer_key::text as evidence_id,
        placed.party_key,
        reached.customer_key,
        'customer' as subject_kind,
        to_char(max(reached.contacted_on), 'YYYY-MM-DD') as subject_label,
        count(*)::numeric as numerator,
        null::numeric as denominator,
        1::numeric as share
    from customer_reached as reached
    inner join manager
        on reached.employee_key = manager.employee_key
        and reached.contacted_on between manager.period_month and manager.as_of
    left join {{ ref('bridge_party_source') }} as placed
        on reached.customer_key = placed.customer_key
    group by manager.manager_id, manager.period_month, reached.customer_key, placed.party_key
),

managed_customers_of_party as (
    select
        month_end.as_of,
        assignment.party_key,
        count(distinct assignment.customer_key) as customers
    from (select distinct as_of from manager) as month_end
    inner join {{ ref('bridge_party_manager') }} as assignment
        on month_end.as_of >= assignment.valid_from and month_end.as_of < assignment.valid_to
    group by month_end.as_of, assignment.party_key
),

-- A card belongs to a party, a manager to a customer: of a party with several managed customers each counts alike.
manager_of_party as (
    select
        assigned.manager_id,
        assigned.period_month,
        assigned.as_of,
        assigned.party_key,
        min(assigned.customer_key) as customer_key,
        sum(assigned.share) / max(managed.customers) as share
    from assignment_at_end as assigned
    inner join managed_customers_of_party as managed
        on assigned.as_of = managed.as_of and assigned.party_key = managed.party_key
    group by assigned.manager_id, assigned.period_month, assigned.as_of, assigned.party_key
),

card_used as (
    select
        card_key,
        date_trunc('month', accounting_date)::date as period_month
    from {{ ref('fct_card_transaction') }}
    where transaction_type = 'purchase'
    group by card_key, date_trunc('month', accounting_date)
    having sum(row_sign) > 0
),

card_contribution as (
    select
        assigned.manager_id,
        assigned.period_month,
        'card_active_rate' as metric_id,
        card.card_key::text as evidence_id,
        assigned.party_key,
        assigned.customer_key,
        'card' as subject_kind,
        {{ masked_number('card.card_no') }} as subject_label,
        case
            when (card.card_key, assigned.period_month) in (select card_key, period_month from card_used)
                then assigned.share
            else 0
        end as numerator,
        assigned.share as denominator,
        assigned.share
    from manager_of_party as assigned
    inner join {{ ref('bridge_party_source') }} as placed
        on assigned.party_key = placed.party_key
    inner join {{ ref('dim_card') }} as card
        on placed.customer_key = card.customer_key
        and assigned.as_of >= card.valid_from
        and assigned.as_of < card.valid_to
        and card.issued_on <= assigned.as_of
        and card.status in ('active', 'inactive')
),

score_contribution as (
    select
        manager.manager_id,
        manager.period_month,
        score.kpi_id as metric_id,
        score.kpi_score_id as evidence_id,
        -2::bigint as party_key,
        -2::bigint as customer_key,
        'score' as subject_kind,
        score.kpi_score_id || ' ' || score.scored_by as subject_label,
        score.score::numeric as numerator,
        1::numeric as denominator,
        1::numeric as share
    from {{ ref('fct_kpi_score') }} as score
    inner join manager
        on score.employee_id = manager.manager_id
        and score.period_month = manager.period_month
    where score.is_current
),

contribution as (
    select * from deposit_contribution
    union all
    select * from new_customer_contribution
    union all
    select * from loan_contribution
    union all
    select * from wealth_contribution
    union all
    select * from contact_contribution
    union all
    select * from card_contribution
    union all
    select * from score_contribution
)

select
    contribution.manager_id,
    contribution.period_month,
    contribution.metric_id,
    contribution.evidence_id,
    coalesce(contribution.party_key, -1) as party_key,
    coalesce(customer.customer_id, 'unknown') as customer_id,
    coalesce({{ masked_name('customer.customer_name', 'customer.party_kind') }}, '—') as customer_name_masked,
    contribution.subject_kind,
    contribution.subject_label,
    round(contribution.numerator, 6)::numeric(24, 6) as numerator,
    round(contribution.denominator, 6)::numeric(24, 6) as denominator,
    round(contribution.share, 6)::numeric(9, 6) as share,
    manager.organisation_id,
    manager.controller_id
from contribution
inner join manager
    on contribution.manager_id = manager.manager_id
    and contribution.period_month = manager.period_month
left join {{ ref('dim_customer') }} as customer
    on contribution.customer_key = customer.customer_key
    and manager.as_of >= customer.valid_from
    and manager.as_of < customer.covers_to
