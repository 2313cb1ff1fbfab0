{{ config(materialized='view') }}

-- A cash pool as one: balances and movements of all its accounts, header among them. Sweeps move money inside the pool, so
-- they stand beside the flows and are in none of them; what went out of one account has come into another.
select
    source_system,
    controller_id,
    cash_pool_key,
    date_day,
    currency,
    count(*) as account_count,
    sum(balance)::numeric(18, 2) as balance,
    sum(balance_before_sweeps)::numeric(18, 2) as balance_before_sweeps,
    sum(balance) filter (where pool_role = 'header')::numeric(18, 2) as header_balance,
    sum(inflow_amount)::numeric(18, 2) as inflow_amount,
    sum(outflow_amount)::numeric(18, 2) as outflow_amount,
    sum(inflow_amount + sweep_in_amount)::numeric(18, 2) as gross_inflow_amount,
    sum(outflow_amount + sweep_out_amount)::numeric(18, 2) as gross_outflow_amount,
    sum(sweep_in_amount)::numeric(18, 2) as sweep_amount,
    sum(sweep_in_amount - sweep_out_amount)::numeric(18, 2) as unmatched_sweep_amount
from {{ ref('fct_cash_pool_account_day') }}
group by source_system, controller_id, cash_pool_key, date_day, currency
