-- Customers whose accountable manager went (C360-23, PAIN-14), and what their assets did then: who follows a manager that left
-- the bank, beside those who were handed over while he stayed. Assets are compared at ends of months.
with stretch as (
    select
        manager.controller_id,
        manager.party_key,
        manager.employee_id as former_manager_id,
        employee.left_on,
        manager.valid_from as managed_from,
        least(manager.valid_to, coalesce(employee.left_on + 1, manager.valid_to)) as ended_on,
        lead(manager.employee_id) over customer as next_manager_id
    from {{ ref('bridge_party_manager') }} as manager
    inner join {{ ref('dim_employee') }} as employee
        on employee.employee_key = manager.employee_key
        and employee.is_current
    where manager.is_accountable
    window customer as (partition by manager.controller_id, manager.party_key order by manager.valid_from)
),

gone as (
    select
        *,
        {{ party_parameter('handover_months', 'ended_on') }}::integer as compared_months,
        (date_trunc('month', ended_on) - interval '1 month')::date as month_before
    from stretch
    where next_manager_id is distinct from former_manager_id
        and managed_from < ended_on
        and ended_on < date '9999-12-31'
),

complete_month as (
    select controller_id, snapshot_month
    from {{ ref('mart_customer_360') }}
    where as_of + 1 = (snapshot_month + interval '1 month')::date
    group by controller_id, snapshot_month
),

customer_now as (
    {{ customers_now() }}
),

compared as (
    select
        gone.*,
        before.managed_assets as assets_before,
        case when complete_month.snapshot_month is not null then coalesce(after.managed_assets, 0) end as assets_after,
        case
            when gone.left_on < (gone.ended_on + make_interval(months => gone.compared_months))::date then 'left_bank'
            else 'reassigned'
        end as handover_cause
    from gone
    left join complete_month
        on complete_month.controller_id = gone.controller_id
        and complete_month.snapshot_month
        = (date_trunc('month', gone.ended_on) + make_interval(months => gone.compared_months))::date
    left join {{ ref('mart_customer_360') }} as before
        on before.controller_id = gone.controller_id
        and before.party_key = gone.party_key
        and before.snapshot_month = gone.month_before
    left join {{ ref('mart_customer_360') }} as after
        on after.controller_id = gone.controller_id
        and after.party_key = gone.party_key
        and after.snapshot_month = complete_month.snapshot_month
)

select
    compared.controller_id,
    compared.party_key,
    compared.former_manager_id,
    compared.ended_on,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    compared.next_manager_id,
    compared.handover_cause,
    compared.managed_from,
    compared.assets_before::numeric(18, 2) as assets_before,
    compared.assets_after::numeric(18, 2) as assets_after,
    (1 - compared.assets_after / nullif(greatest(compared.assets_before, 0), 0))::numeric(18, 6) as moved_share,
    coalesce(
        compared.handover_cause = 'left_bank'
        and 1 - compared.assets_after / nullif(greatest(compared.assets_before, 0), 0)
        >= {{ party_parameter('follower_share', 'compared.ended_on') }},
        false
    ) as is_follower
from compared
inner join customer_now
    on customer_now.controller_id = compared.controller_id
    and customer_now.party_key = compared.party_key
where compared.ended_on <= customer_now.as_of
