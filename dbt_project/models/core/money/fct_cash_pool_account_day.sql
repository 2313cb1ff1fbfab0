{{ config(materialized='view') }}

-- Each account of a cash pool on each day: its balance, the sweeps of the day (资金归集), what it would hold without them,
-- and its other movements. Sweeps with accounts outside the pool do not occur: they are marked by the type of posting.
with moved as (
    select
        account_key,
        accounting_date,
        coalesce(sum(amount) filter (where transaction_type = 'sweep' and direction = 'C'), 0) as sweep_in_amount,
        coalesce(sum(amount) filter (where transaction_type = 'sweep' and direction = 'D'), 0) as sweep_out_amount,
        coalesce(sum(amount) filter (where transaction_type <> 'sweep' and direction = 'C'), 0) as inflow_amount,
        coalesce(sum(amount) filter (where transaction_type <> 'sweep' and direction = 'D'), 0) as outflow_amount
    from {{ ref('fct_account_transaction') }}
    where account_key in (select account_key from {{ ref('bridge_cash_pool_account') }})
    group by account_key, accounting_date
)

select
    pooled.source_system,
    pooled.controller_id,
    pooled.cash_pool_key,
    day.date_day,
    pooled.account_key,
    day.account_version_key,
    pooled.pool_role,
    day.currency,
    day.balance,
    coalesce(moved.sweep_in_amount, 0)::numeric(18, 2) as sweep_in_amount,
    coalesce(moved.sweep_out_amount, 0)::numeric(18, 2) as sweep_out_amount,
    (day.balance - coalesce(moved.sweep_in_amount - moved.sweep_out_amount, 0))::numeric(18, 2) as balance_before_sweeps,
    coalesce(moved.inflow_amount, 0)::numeric(18, 2) as inflow_amount,
    coalesce(moved.outflow_amount, 0)::numeric(18, 2) as outflow_amount
from {{ ref('bridge_cash_pool_account') }} as pooled
inner join {{ ref('fct_account_balance_day') }} as day
    on day.account_key = pooled.account_key
    and day.date_day >= pooled.valid_from
    and day.date_day < pooled.valid_to
left join moved on moved.account_key = day.account_key and moved.accounting_date = day.date_day
