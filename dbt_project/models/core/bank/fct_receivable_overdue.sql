{{ config(materialized='view') }}

-- What customers owe past its due day on the last business date of each source, whatever department it is owed to: electricity
-- bills, instalments of loans, minimum payments of credit cards. A customer of both controllers is one party in both.
with clock as (
    select
        source_system,
        last_business_date as as_of
    from {{ ref('dim_source_system') }}
),

electricity as (
    select
        bill.source_system,
        bill.controller_id,
        'electricity_marketing' as department,
        bill.bill_id as receivable_id,
        bill.customer_key,
        bill.as_of - bill.days_overdue as due_on,
        bill.days_overdue,
        bill.overdue_amount as amount,
        'CNY' as currency,
        bill.as_of
    from ({{ standing_rows('fct_receivable', ['bill_id', 'as_of']) }}) as bill
    inner join (
        select
            source_system,
            max(as_of) as as_of
        from {{ ref('fct_receivable') }}
        group by source_system
    ) as last_day
        on last_day.source_system = bill.source_system
        and last_day.as_of = bill.as_of
    where bill.row_sign = 1
),

loan as (
    select
        instalment.source_system,
        instalment.controller_id,
        case
            when loan.loan_type in ('working_capital', 'fixed_asset') then 'corporate_lending'
            else 'personal_lending'
        end as department,
        instalment.loan_id || '/' || instalment.instalment_no as receivable_id,
        loan.customer_key,
        instalment.due_on,
        clock.as_of - instalment.due_on as days_overdue,
        instalment.principal_due + instalment.interest_due - instalment.principal_paid - instalment.interest_paid as amount,
        loan.currency,
        clock.as_of
    from {{ ref('fct_loan_instalment') }} as instalment
    inner join clock on clock.source_system = instalment.source_system
    inner join {{ ref('dim_loan') }} as loan
        on loan.loan_key = instalment.loan_key
        and loan.is_current
    where instalment.settled_on is null
        and instalment.due_on < clock.as_of
        and loan.status is distinct from 'settled'
),

-- The last statement whose due day has passed: what was paid since its end counts against its minimum payment.
statement as (
    select distinct on (bill.source_system, bill.card_account_id)
        bill.*,
        clock.as_of
    from ({{ standing_rows('fct_card_statement', ['statement_id']) }}) as bill
    inner join clock on clock.source_system = bill.source_system
    where bill.row_sign = 1
        and bill.due_on < clock.as_of
    order by bill.source_system, bill.card_account_id, bill.cycle_end desc
),

card as (
    select
        statement.source_system,
        statement.controller_id,
        'credit_card' as department,
        statement.statement_id as receivable_id,
        account.customer_key,
        statement.due_on,
        statement.as_of - statement.due_on as days_overdue,
        statement.minimum_payment - coalesce(paid.amount, 0) as amount,
        account.currency,
        statement.as_of
    from statement
    inner join {{ ref('dim_card_account') }} as account
        on account.card_account_key = statement.card_account_key
        and account.is_current
    left join lateral (
        select sum(payment.amount) as amount
        from {{ ref('fct_card_payment') }} as payment
        where payment.card_account_key = statement.card_account_key
            and payment.paid_on > statement.cycle_end
            and payment.paid_on <= statement.as_of
    ) as paid on true
),

owed as (
    select * from electricity
    union all
    select * from loan
    union all
    select * from card
)

select
    owed.source_system,
    owed.controller_id,
    owed.department,
    owed.receivable_id,
    owed.customer_key,
    owed.due_on,
    owed.days_overdue,
    band.band_id as age_band,
    owed.amount::numeric(18, 2) as amount,
    owed.currency,
    owed.as_of
from owed
inner join {{ ref('receivable_age_band') }} as band
    on owed.days_overdue >= band.days_from
    and owed.days_overdue < band.days_to
where owed.amount > 0
