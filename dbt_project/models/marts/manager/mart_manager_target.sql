-- A plan that people approved stands before a target that a source sent for the same indicator, owner and month.
with planned as (
    select
        plan.kpi_id,
        plan.owner_kind,
        plan.owner_id,
        plan.period_month,
        plan.target_value,
        plan.unit,
        'upload ' || plan.upload_id || ' line ' || plan.line as target_id,
        plan.set_by,
        plan.approved_by,
        plan.valid_from as in_force_from,
        coalesce(employee.controller_id, organisation.controller_id, 'bank') as controller_id
    from {{ ref('fct_kpi_plan_month') }} as plan
    left join (
        select employee_id, min(controller_id) as controller_id
        from {{ ref('dim_employee') }}
        where is_current
        group by employee_id
    ) as employee
        on plan.owner_kind = 'employee' and plan.owner_id = employee.employee_id
    left join (
        select organisation_id, min(controller_id) as controller_id
        from {{ ref('dim_organisation') }}
        where is_current
        group by organisation_id
    ) as organisation
        on plan.owner_kind = 'organisation' and plan.owner_id = organisation.organisation_id
),

sent as (
    select
        kpi_id,
        owner_kind,
        owner_id,
        period_month,
        target_value,
        unit,
        kpi_target_id as target_id,
        set_by,
        approved_by,
        valid_from as in_force_from,
        controller_id
    from {{ ref('fct_kpi_target') }}
    where is_current
        and (kpi_id, owner_kind, owner_id, period_month) not in (
            select kpi_id, owner_kind, owner_id, period_month from planned
        )
)

select * from planned
union all
select * from sent
