-- A cancel (红冲) takes back its bill row by row: together they are zero in kWh, quantity and amount.
with cancel as (
    select source_system, bill_id, cancels_bill_id from {{ ref('fct_grid_bill_total') }}
    where bill_kind = 'cancel'
    group by source_system, bill_id, cancels_bill_id
    having sum(row_sign) = 1
),

member as (
    select source_system, bill_id, cancels_bill_id as cancelled from cancel
    union all
    select source_system, cancels_bill_id, cancels_bill_id from cancel
)

select member.source_system, member.cancelled, line.component, line.period, line.tier, sum(line.quantity) as quantity, sum(line.amount) as amount
from member
inner join {{ ref('fct_grid_bill') }} as line
    on line.source_system = member.source_system and line.bill_id = member.bill_id
group by member.source_system, member.cancelled, line.component, line.period, line.tier
having sum(line.quantity) <> 0 or sum(line.amount) <> 0

union all

select member.source_system, member.cancelled, 'total', null, null, sum(bill.kwh), sum(bill.amount)
from member
inner join {{ ref('fct_grid_bill_total') }} as bill
    on bill.source_system = member.source_system and bill.bill_id = member.bill_id
group by member.source_system, member.cancelled
having sum(bill.kwh) <> 0 or sum(bill.amount) <> 0
