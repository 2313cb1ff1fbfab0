{{ config(post_hook="analyze {{ this }}") }}

-- A group as one customer, month by month: the own figures of all who belong to it on the last day of the month, its head
-- among them. Their flows have no sweeps in them (fct_party_month), so nothing is counted twice.
select
    month.controller_id,
    member.group_party_key,
    month.figures_month,
    month.as_of,
    member.is_ultimate,
    count(*)::integer as member_count,
    sum(month.deposit_balance)::numeric(18, 2) as deposit_balance,
    sum(month.deposit_average_balance)::numeric(18, 2) as deposit_average_balance,
    sum(month.inflow_amount)::numeric(18, 2) as inflow_amount,
    sum(month.outflow_amount)::numeric(18, 2) as outflow_amount,
    sum(month.sweep_in_amount)::numeric(18, 2) as sweep_in_amount,
    sum(month.sweep_out_amount)::numeric(18, 2) as sweep_out_amount,
    sum(month.loan_balance)::numeric(18, 2) as loan_balance,
    sum(month.wealth_market_value)::numeric(18, 2) as wealth_market_value
from {{ ref('fct_party_month') }} as month
inner join {{ ref('bridge_party_group') }} as member
    on member.controller_id = month.controller_id
    and member.member_party_key = month.party_key
    and month.as_of >= member.valid_from
    and month.as_of < member.valid_to
group by month.controller_id, member.group_party_key, month.figures_month, month.as_of, member.is_ultimate
