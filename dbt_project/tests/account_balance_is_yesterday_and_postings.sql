{{ config(
    store_failures=true,
    fail_calc="count(*) filter (where not is_explained)"
) }}

-- The balance of a day of change is the balance before and the postings since (余额勾稽). A difference is explained where a
-- posting or a balance of the account lies in quarantine; every difference is kept to be looked at. Days are looked at
-- while they lie in this or the last month, or when their balance arrives later.
with balance as (
    select
        fact.source_system,
        fact.account_key,
        fact.account_id,
        fact.valid_from,
        fact.balance,
        before.valid_from as before_from,
        before.balance as balance_before
    from {{ ref('fct_account_balance') }} as fact
    inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = fact.source_system
    inner join {{ ref('fct_account_balance') }} as before
        on before.account_key = fact.account_key and before.valid_to = fact.valid_from
    where greatest(fact.valid_from, fact.known_at::date)
        >= date_trunc('month', source_system.last_business_date) - interval '1 month'
),

posted as (
    select
        balance.account_key,
        balance.valid_from,
        coalesce(sum(case posting.direction when 'C' then posting.amount else -posting.amount end), 0) as posted
    from balance
    left join {{ ref('fct_account_transaction') }} as posting
        on posting.account_key = balance.account_key
        and posting.accounting_date > balance.before_from
        and posting.accounting_date <= balance.valid_from
    group by balance.account_key, balance.valid_from
)

select
    balance.source_system,
    balance.account_key,
    balance.before_from,
    balance.valid_from,
    balance.balance - balance.balance_before - posted.posted as difference,
    {{ explained_by_quarantine('balance.source_system', 'account_transaction', 'balance.account_id', 'balance.before_from') }}
        or {{ explained_by_quarantine('balance.source_system', 'account_balance', 'balance.account_id', 'balance.before_from') }} as is_explained
from balance
inner join posted on posted.account_key = balance.account_key and posted.valid_from = balance.valid_from
where balance.balance - balance.balance_before <> posted.posted
