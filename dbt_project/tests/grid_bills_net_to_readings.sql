-- Bills, estimated ones, cancels and rebills together bill the energy that was read: for every service point, from its first
-- bill to its last that was not estimated. Points with a month whose readings are incomplete are left out.
with billed as (
    select source_system, service_point_key, billing_month, sum(kwh) as kwh
    from {{ ref('fct_grid_bill_total') }}
    group by source_system, service_point_key, billing_month
),

basis as (
    select
        source_system,
        service_point_key,
        billing_month,
        max(kwh) as kwh,
        max(days_to_read) as days_to_read,
        max(days_read) as days_read,
        bool_and(bill_kind = 'estimated') as is_estimated
    from {{ ref('fct_grid_bill_basis') }}
    group by source_system, service_point_key, billing_month
),

settled as (
    select
        basis.source_system,
        basis.service_point_key,
        max(basis.billing_month) filter (where not basis.is_estimated) as settled_month,
        bool_or(coalesce(basis.days_read, 0) < basis.days_to_read) as is_incomplete
    from basis
    group by basis.source_system, basis.service_point_key
)

select settled.service_point_key, settled.settled_month, sum(billed.kwh) as billed_kwh, sum(basis.kwh) as read_kwh
from settled
inner join basis
    on basis.source_system = settled.source_system
    and basis.service_point_key = settled.service_point_key
    and basis.billing_month <= settled.settled_month
inner join billed
    on billed.source_system = basis.source_system
    and billed.service_point_key = basis.service_point_key
    and billed.billing_month = basis.billing_month
where not settled.is_incomplete
group by settled.source_system, settled.service_point_key, settled.settled_month
having abs(sum(billed.kwh) - sum(basis.kwh))
    > count(*) * {{ grid_parameter('kwh_tolerance', 'settled.source_system', 'settled.settled_month') }}
