-- Downstream of a firm (下游客户, C360-15): whom it paid over the last months into accounts elsewhere. Who is no customer under
-- that name either does not bank here. Nobody says whether a payee is a person: short names are masked as persons' are.
with customer_now as not materialized (
    select
        customer.*,
        (
            customer.snapshot_month
            - make_interval(months => {{ party_parameter('payee_months', 'customer.as_of') }}::integer - 1)
        )::date as paid_from
    from ({{ customers_now() }}) as customer
    where customer.party_kind = 'firm'
),

paid as (
    select
        customer_now.controller_id,
        customer_now.party_key,
        payment.payee_key,
        sum(payment.payment_count) as payment_count,
        sum({{ in_reporting_currency('payment.amount', 'rate') }}) as payment_amount,
        max(payment.payment_month) as last_payment_month,
        (array_agg(payment.account_key order by payment.payment_month desc, payment.last_transaction_id collate "C" desc))[1]
            as last_account_key,
        (array_agg(payment.last_transaction_id order by payment.payment_month desc, payment.last_transaction_id collate "C" desc))[1]
            as last_transaction_id
    from customer_now
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.party_key = customer_now.party_key
        and holder.is_owner
    inner join {{ ref('fct_account_payee_month') }} as payment
        on payment.controller_id = customer_now.controller_id
        and payment.account_key = holder.account_key
        and payment.payment_month between customer_now.paid_from and customer_now.as_of
        and (payment.payment_month + interval '1 month')::date - 1 >= holder.valid_from
        and (payment.payment_month + interval '1 month')::date - 1 < holder.valid_to
        and payment.payment_count > 0
    {{ join_reporting_rate('rate', 'payment.controller_id', 'payment.currency', 'payment.payment_month') }}
    group by customer_now.controller_id, customer_now.party_key, payment.payee_key
),

named as (
    select distinct on (paid.controller_id, paid.party_key, paid.payee_key)
        paid.*,
        posting.counterparty_name as payee_name,
        posting.counterparty_account as payee_account,
        posting.counterparty_bank as payee_bank
    from paid
    inner join {{ ref('fct_account_transaction') }} as posting
        on posting.account_key = paid.last_account_key
        and posting.transaction_id = paid.last_transaction_id
        and posting.row_sign = 1
    order by paid.controller_id, paid.party_key, paid.payee_key, posting.known_at desc, posting.file_id desc
),

customer_name as (
    select distinct controller_id, customer_name
    from {{ ref('dim_customer') }}
    where is_current and customer_name is not null
)

select
    named.controller_id,
    named.party_key,
    named.payee_key,
    customer_now.as_of,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    {{ masked_name('named.payee_name', "case when length(named.payee_name) <= 4 then 'person' else 'firm' end") }} as payee_name_masked,
    named.payee_name,
    {{ masked_number('named.payee_account') }} as payee_account_masked,
    named.payee_bank,
    named.payment_count::integer as payment_count,
    named.payment_amount::numeric(18, 2) as payment_amount,
    named.last_payment_month,
    (count(*) over (partition by named.controller_id, named.payee_key))::integer as payer_count,
    customer_name.customer_name is not null as is_customer
from named
inner join customer_now
    on customer_now.controller_id = named.controller_id
    and customer_now.party_key = named.party_key
left join customer_name
    on customer_name.controller_id = named.controller_id
    and customer_name.customer_name = named.payee_name
left join {{ ref('dim_account') }} as own_account
    on own_account.account_key = named.payee_key
    and own_account.is_current
    and not own_account.is_inferred
where own_account.account_key is null
