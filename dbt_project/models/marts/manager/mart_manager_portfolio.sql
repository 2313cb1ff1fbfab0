with assessed_month as (
    {{ assessed_months() }}
),

-- Managers in their post on the last day of the month (or on the last business date in a month that still runs).
manager as (
    select
        employee.source_system,
        employee.employee_id,
        employee.employee_key,
        employee.employee_name,
        employee.position,
        employee.manager_grade,
        employee.qualification,
        employee.organisation_id,
        employee.organisation_key,
        employee.controller_id,
        assessed_month.period_month,
        assessed_month.as_of,
        assessed_month.is_closed,
        assessed_month.days,
        assessed_month.working_days
    from assessed_month
    inner join {{ ref('dim_employee') }} as employee
        on assessed_month.as_of >= employee.valid_from
        and assessed_month.as_of < employee.valid_to
    where employee.position = 'customer_manager'
        and not employee.is_inferred
        and employee.hired_on <= assessed_month.as_of
        and coalesce(employee.left_on, date '9999-12-31') > assessed_month.as_of
),

customers_managed as (
    select
        manager.employee_key,
        manager.period_month,
        count(distinct assignment.customer_key) as customer_count,
        count(distinct assignment.party_key) filter (where assignment.is_accountable) as accountable_count,
        count(distinct assignment.party_key) as party_count,
        count(distinct assignment.customer_key) filter (where customer.party_kind = 'person') as person_count,
        count(distinct assignment.customer_key) filter (where customer.party_kind = 'firm') as firm_count
    from manager
    inner join {{ ref('bridge_party_manager') }} as assignment
        on manager.employee_key = assignment.employee_key
        and manager.as_of >= assignment.valid_from
        and manager.as_of < assignment.valid_to
    inner join {{ ref('dim_customer') }} as customer
        on assignment.customer_key = customer.customer_key
        and manager.as_of >= customer.valid_from
        and manager.as_of < customer.covers_to
    group by manager.employee_key, manager.period_month
)

select
    manager.employee_id as manager_id,
    manager.period_month,
    manager.as_of,
    manager.is_closed,
    manager.days,
    manager.working_days,
    manager.employee_key,
    manager.employee_name as manager_name,
    manager.position as manager_position,
    manager.manager_grade,
    manager.qualification,
    coalesce(manager.organisation_id, 'unknown') as organisation_id,
    coalesce(organisation.organisation_name, 'unknown') as organisation_name,
    manager.source_system,
    manager.controller_id,
    coalesce(customers_managed.customer_count, 0)::integer as customer_count,
    coalesce(customers_managed.accountable_count, 0)::integer as accountable_count,
    coalesce(customers_managed.party_count, 0)::integer as party_count,
    coalesce(customers_managed.person_count, 0)::integer as person_count,
    coalesce(customers_managed.firm_count, 0)::integer as firm_count,
    {{ party_parameter('customers_a_manager', 'manager.as_of') }}::integer as customer_limit,
    coalesce(customers_managed.customer_count, 0) > {{ party_parameter('customers_a_manager', 'manager.as_of') }} as is_over_limit
from manager
left join customers_managed
    on manager.employee_key = customers_managed.employee_key
    and manager.period_month = customers_managed.period_month
left join {{ ref('dim_organisation') }} as organisation
    on manager.organisation_key = organisation.organisation_key
    and manager.as_of >= organisation.valid_from
    and manager.as_of < organisation.covers_to
