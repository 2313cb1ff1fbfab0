with version as (
    select
        *,
        case owner_kind
            when 'employee' then {{ member_key('employee', 'source_system', 'owner_id') }}
            else {{ member_key('organisation', 'source_system', 'owner_id') }}
        end as owner_key,
        annual_cases - lag(annual_cases) over turn as revised_by_cases,
        lag(annual_cases) over turn as cases_before,
        lead(in_force_from, 1, make_date(plan_year + 1, 1, 1)) over turn as in_force_to
    from {{ ref('dim_retail_plan') }}
    where is_current and retail_plan_key > 0 and not is_inferred
    window turn as (partition by source_system, owner_kind, owner_id, plan_year order by in_force_from, plan_version)
),

planned as (
    select retail_plan_key, sum(cases) as cases
    from {{ ref('fct_retail_plan') }}
    group by retail_plan_key
),

-- Each manager's last version of the year, with every unit above the one that he serves in.
handed_down as (
    select
        last_version.source_system,
        last_version.plan_year,
        above.ancestor_organisation_key,
        sum(last_version.annual_cases) as cases
    from (
        select distinct on (source_system, owner_id, plan_year) *
        from version
        where owner_kind = 'employee'
        order by source_system, owner_id, plan_year, in_force_from desc, plan_version desc
    ) as last_version
    inner join {{ ref('dim_employee') }} as manager
        on manager.employee_key = last_version.owner_key
        and last_version.in_force_from >= manager.valid_from
        and last_version.in_force_from < manager.covers_to
    inner join {{ ref('bridge_organisation') }} as above
        on above.organisation_key = manager.organisation_key
        and last_version.in_force_from >= above.valid_from
        and last_version.in_force_from < above.valid_to
    group by last_version.source_system, last_version.plan_year, above.ancestor_organisation_key
)

select
    version.source_system,
    version.plan_id,
    version.owner_kind,
    version.owner_id,
    coalesce(manager.employee_name, unit.organisation_name) as owner_name,
    case version.owner_kind when 'employee' then version.owner_id end as manager_id,
    case version.owner_kind when 'employee' then manager.organisation_id else version.owner_id end as organisation_id,
    version.plan_year,
    version.plan_version,
    version.in_force_from,
    version.in_force_to,
    version.in_force_from <= source_system.last_business_date
    and version.in_force_to > source_system.last_business_date as is_in_force,
    version.annual_cases,
    version.revised_by_cases::numeric(14, 4) as revised_by_cases,
    (version.revised_by_cases / nullif(version.cases_before, 0))::numeric(14, 6) as revised_by,
    coalesce(planned.cases, 0)::numeric(18, 4) as planned_cases,
    (version.annual_cases - coalesce(planned.cases, 0))::numeric(18, 4) as days_gap,
    handed_down.cases::numeric(18, 4) as managers_cases,
    (version.annual_cases - handed_down.cases)::numeric(18, 4) as cascade_gap,
    version.set_by,
    coalesce(version.set_by = version.owner_id, false) as is_self_set,
    version.approved_by,
    version.approved_on,
    version.note,
    version.controller_id
from version
inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = version.source_system
left join planned on planned.retail_plan_key = version.retail_plan_key
left join handed_down
    on version.owner_kind = 'organisation'
    and handed_down.source_system = version.source_system
    and handed_down.plan_year = version.plan_year
    and handed_down.ancestor_organisation_key = version.owner_key
{{ join_owner('version', 'version.in_force_from') }}
