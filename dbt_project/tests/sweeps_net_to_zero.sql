{{ config(
    store_failures=true,
    fail_calc="count(*) filter (where not is_explained)"
) }}

-- A sweep takes from one account of a pool what it gives to another (资金归集轧差): over a pool and a day sweeps come to
-- nothing, so that they change no group's total. A difference is explained where a posting of an account of the pool lies in
-- quarantine. Days are looked at while they lie in this or the last month.
with unmatched as (
    select
        pool.source_system,
        pool.cash_pool_key,
        pool.date_day,
        pool.unmatched_sweep_amount
    from {{ ref('fct_cash_pool_day') }} as pool
    inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = pool.source_system
    where pool.unmatched_sweep_amount <> 0
        and pool.date_day >= date_trunc('month', source_system.last_business_date) - interval '1 month'
)

select
    unmatched.source_system,
    unmatched.cash_pool_key,
    unmatched.date_day,
    unmatched.unmatched_sweep_amount,
    exists(
        select 1
        from {{ ref('bridge_cash_pool_account') }} as pooled
        where pooled.cash_pool_key = unmatched.cash_pool_key
            and {{ explained_by_quarantine('unmatched.source_system', 'account_transaction', 'pooled.account_id', 'unmatched.date_day') }}
    ) as is_explained
from unmatched
