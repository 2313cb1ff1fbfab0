{{ config(
    store_failures=true,
    fail_calc="count(*) filter (where not is_explained)"
) }}

-- A statement's purchases, payments, and fees and interest are the sums of the postings of its cycle (账单勾稽). A difference
-- is explained where a posting of the card account lies in quarantine; every difference is kept to be looked at.
-- Statements are looked at for as long as their cycle ended in this or the last two months, or when they arrive later.
with statement as (
    select
        fact.source_system,
        fact.card_account_key,
        fact.card_account_id,
        fact.statement_id,
        fact.cycle_start,
        fact.cycle_end,
        sum(fact.purchases) as purchases,
        sum(fact.payments) as payments,
        sum(fact.fees_and_interest) as fees_and_interest
    from {{ ref('fct_card_statement') }} as fact
    inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = fact.source_system
    where greatest(fact.cycle_end, fact.business_date)
        >= date_trunc('month', source_system.last_business_date) - interval '2 months'
    group by
        fact.source_system, fact.card_account_key, fact.card_account_id, fact.statement_id, fact.cycle_start, fact.cycle_end
    having sum(fact.row_sign) > 0
),

posted as (
    select
        statement.statement_id,
        coalesce(sum(case posting.direction when 'D' then posting.amount else -posting.amount end)
            filter (where posting.transaction_type not in ('repayment', 'fee', 'interest')), 0) as purchases,
        coalesce(sum(case posting.direction when 'C' then posting.amount else -posting.amount end)
            filter (where posting.transaction_type = 'repayment'), 0) as payments,
        coalesce(sum(case posting.direction when 'D' then posting.amount else -posting.amount end)
            filter (where posting.transaction_type in ('fee', 'interest')), 0) as fees_and_interest
    from statement
    left join {{ ref('fct_card_transaction') }} as posting
        on posting.card_account_key = statement.card_account_key
        and posting.accounting_date between statement.cycle_start and statement.cycle_end
    group by statement.statement_id
)

select
    statement.source_system,
    statement.card_account_key,
    statement.statement_id,
    statement.cycle_start,
    statement.cycle_end,
    statement.purchases - posted.purchases as purchases_difference,
    statement.payments - posted.payments as payments_difference,
    statement.fees_and_interest - posted.fees_and_interest as fees_and_interest_difference,
    {{ explained_by_quarantine('statement.source_system', 'posting', 'statement.card_account_id', 'statement.cycle_start') }} as is_explained
from statement
inner join posted on posted.statement_id = statement.statement_id
where (statement.purchases, statement.payments, statement.fees_and_interest)
    <> (posted.purchases, posted.payments, posted.fees_and_interest)
