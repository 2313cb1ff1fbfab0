{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['source_system', 'accounting_date'],
    pre_hook="{{ take_up(after=['fct_general_ledger', 'fct_account_balance', 'dim_account', 'dim_loan']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['source_system', 'accounting_date']}]
) }}

-- Only days from the first one of which something has arrived are compared, all units of it: on a usual day that is one.
-- What an account or a loan is booked under is that of the day. Its unit or subject is 'unknown' as long as its master
-- has not arrived.
{%- set arrived = 'file_id = any(' ~ pending_files() ~ ')' %}
with touched as (
    {%- for entity, day in [('general_ledger', 'accounting_date'), ('account_balance', 'balance_date'), ('account', 'effective_date'), ('loan', 'effective_date')] %}
    select source_system, min({{ day }}) as first_day
    from ({{ union_feeds(entity, where=arrived) }}) as feed
    group by source_system
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

stretch as (
    select
        books.source_system,
        books.controller_id,
        greatest(min(touched.first_day), books.accounting_date) as first_day,
        source_system.last_business_date as last_day
    from touched
    inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = touched.source_system
    inner join lateral (
        select *
        from {{ ref('fct_general_ledger') }} as ledger
        where ledger.source_system = touched.source_system
        order by ledger.accounting_date
        limit 1
    ) as books on true
    group by books.source_system, books.controller_id, books.accounting_date, source_system.last_business_date
),

account_stretch as (
    select
        balance.source_system,
        coalesce(account.organisation_id, 'unknown') as organisation_id,
        coalesce(account.gl_subject, 'unknown') as subject_id,
        balance.currency,
        greatest(balance.valid_from, account.valid_from, stretch.first_day) as from_day,
        least(balance.valid_to, account.covers_to) as to_day,
        balance.balance,
        stretch.last_day
    from stretch
    inner join {{ ref('fct_account_balance') }} as balance
        on balance.source_system = stretch.source_system
        and balance.valid_to > stretch.first_day
        and balance.valid_from <= stretch.last_day
        and balance.balance <> 0
    inner join {{ ref('dim_account') }} as account
        on account.account_key = balance.account_key
        and account.valid_from < balance.valid_to and account.covers_to > balance.valid_from
        and account.valid_from <= stretch.last_day and account.covers_to > stretch.first_day
),

-- What is written off has left the books.
loan_stretch as (
    select
        loan.source_system,
        coalesce(loan.organisation_id, 'unknown'),
        coalesce(subject.subject_id, 'unknown'),
        loan.currency,
        greatest(loan.valid_from, loan.life_from, stretch.first_day),
        loan.valid_to,
        loan.outstanding_principal,
        stretch.last_day
    from stretch
    inner join {{ ref('dim_loan') }} as loan
        on loan.source_system = stretch.source_system
        and loan.valid_to > stretch.first_day
        and greatest(loan.valid_from, loan.life_from) <= stretch.last_day
    left join {{ ref('general_ledger_subject') }} as subject
        on subject.sub_ledger = 'loan' and subject.loan_type = loan.loan_type
    where loan.outstanding_principal <> 0 and loan.status is distinct from 'written_off'
),

single as (
    select * from account_stretch
    union all
    select * from loan_stretch
),

change as (
    select source_system, organisation_id, subject_id, currency, from_day as accounting_date, balance from single
    union all
    select source_system, organisation_id, subject_id, currency, to_day, -balance from single where to_day <= last_day
),

ledger as (
    select
        ledger.source_system,
        ledger.organisation_id,
        ledger.subject_id,
        ledger.currency,
        ledger.accounting_date,
        sum(ledger.closing_balance) as balance
    from stretch
    inner join {{ ref('fct_general_ledger') }} as ledger
        on ledger.source_system = stretch.source_system
        and ledger.accounting_date between stretch.first_day and stretch.last_day
    left join {{ ref('general_ledger_subject') }} as subject on subject.subject_id = ledger.subject_id
    where subject.subject_id is null or subject.sub_ledger is not null
    group by ledger.source_system, ledger.organisation_id, ledger.subject_id, ledger.currency, ledger.accounting_date
    having sum(ledger.row_sign) > 0
),

book as (
    select source_system, organisation_id, subject_id, currency from change
    union
    select source_system, organisation_id, subject_id, currency from ledger
),

-- Every book has its day, also one on which nothing changed.
by_day as (
    select
        source_system,
        organisation_id,
        subject_id,
        currency,
        accounting_date,
        sum(changed) as changed,
        sum(ledger_balance) as ledger_balance
    from (
        select source_system, organisation_id, subject_id, currency, accounting_date, balance as changed, null as ledger_balance
        from change
        union all
        select source_system, organisation_id, subject_id, currency, accounting_date, 0, balance
        from ledger
        union all
        select book.source_system, book.organisation_id, book.subject_id, book.currency, day.date_day, 0, null
        from book
        inner join stretch on stretch.source_system = book.source_system
        inner join {{ ref('dim_date') }} as day on day.date_day between stretch.first_day and stretch.last_day
    ) as said
    group by source_system, organisation_id, subject_id, currency, accounting_date
),

compared as (
    select
        by_day.source_system,
        stretch.controller_id,
        by_day.organisation_id,
        by_day.subject_id,
        by_day.currency,
        by_day.accounting_date,
        by_day.ledger_balance,
        sum(by_day.changed) over (
            partition by by_day.source_system, by_day.organisation_id, by_day.subject_id, by_day.currency
            order by by_day.accounting_date
        ) as sub_ledger_balance
    from by_day
    inner join stretch on stretch.source_system = by_day.source_system
)

select
    source_system,
    controller_id,
    case
        when organisation_id = 'unknown' then -1
        else {{ member_key('organisation', 'source_system', 'organisation_id') }}
    end as organisation_key,
    organisation_id,
    subject_id,
    currency,
    accounting_date,
    ledger_balance::numeric(20, 2) as ledger_balance,
    sub_ledger_balance::numeric(20, 2) as sub_ledger_balance,
    (sub_ledger_balance - coalesce(ledger_balance, 0))::numeric(20, 2) as difference
from compared
where ledger_balance is not null or sub_ledger_balance <> 0
