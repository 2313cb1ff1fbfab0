{{ config(post_hook="analyze {{ this }}") }}

-- How far along a plan is says its curve of days, never the calendar (GT-05). The plan of a day is the approved version
-- that is in force on it; the whole period is then measured against that version.
with version_in_force as (
    select
        *,
        {{ member_key('employee', 'source_system', 'owner_id') }} as employee_key,
        {{ member_key('organisation', 'source_system', 'owner_id') }} as organisation_key,
        lead(holds_from, 1, make_date(plan_year + 1, 1, 1)) over (
            partition by source_system, owner_kind, owner_id, plan_year order by holds_from, plan_version
        ) as holds_to
    from (
        select *, greatest(in_force_from, make_date(plan_year, 1, 1)) as holds_from
        from {{ ref('dim_retail_plan') }}
        where is_current and retail_plan_key > 0 and not is_inferred and approved_by is not null
    ) as approved
),

owner as (
    select distinct
        source_system,
        controller_id,
        owner_kind,
        owner_id,
        case owner_kind when 'employee' then employee_key else organisation_key end as owner_key
    from version_in_force
),

brand_of_scope as (
    select brand.brand_version_key, scope.scope
    from {{ ref('dim_brand') }} as brand
    cross join lateral (
        values
        ('all', true),
        ('out_of_province', brand.origin = 'out_of_province'),
        ('key', brand.is_key),
        ('cultivated', brand.is_cultivated)
    ) as scope (scope, is_counted)
    where scope.is_counted
),

planned as (
    select
        plan.retail_plan_key,
        brand_of_scope.scope,
        plan.plan_date as date_day,
        sum(plan.cases) as cases,
        sum(plan.amount) as amount
    from {{ ref('fct_retail_plan') }} as plan
    inner join brand_of_scope on brand_of_scope.brand_version_key = plan.brand_version_key
    group by plan.retail_plan_key, brand_of_scope.scope, plan.plan_date
),

sold_by_manager as (
    select
        sale.source_system,
        sale.employee_key,
        sale.employee_version_key,
        brand_of_scope.scope,
        sale.sale_date as date_day,
        sum(sale.cases) as cases,
        sum(sale.amount) as amount
    from {{ ref('fct_retail_sale') }} as sale
    inner join brand_of_scope on brand_of_scope.brand_version_key = sale.brand_version_key
    group by sale.source_system, sale.employee_key, sale.employee_version_key, brand_of_scope.scope, sale.sale_date
),

-- A unit sells what the managers below it sell, where each of them served on the day.
sold as (
    select source_system, 'employee' as owner_kind, employee_key as owner_key, scope, date_day, cases, amount
    from sold_by_manager
    union all
    select
        sold_by_manager.source_system,
        'organisation',
        unit.ancestor_organisation_key,
        sold_by_manager.scope,
        sold_by_manager.date_day,
        sum(sold_by_manager.cases),
        sum(sold_by_manager.amount)
    from sold_by_manager
    inner join {{ ref('dim_employee') }} as manager
        on manager.employee_version_key = sold_by_manager.employee_version_key
    inner join {{ ref('bridge_organisation') }} as unit
        on unit.organisation_key = manager.organisation_key
        and sold_by_manager.date_day >= unit.valid_from
        and sold_by_manager.date_day < unit.valid_to
    group by
        sold_by_manager.source_system, unit.ancestor_organisation_key, sold_by_manager.scope, sold_by_manager.date_day
),

day_of_plan as (
    select
        version.source_system,
        version.controller_id,
        version.owner_kind,
        version.owner_id,
        owner.owner_key,
        version.retail_plan_key,
        version.plan_id,
        version.plan_version,
        version.holds_from,
        version.holds_to,
        scope.scope,
        day.date_day,
        period.period_kind,
        period.period_start,
        period.period_end,
        coalesce(planned.cases, 0) as plan_cases,
        coalesce(planned.amount, 0) as plan_amount,
        coalesce(sold.cases, 0) as sold_cases,
        coalesce(sold.amount, 0) as sold_amount
    from version_in_force as version
    inner join owner
        on owner.source_system = version.source_system
        and owner.owner_kind = version.owner_kind
        and owner.owner_id = version.owner_id
    inner join {{ ref('dim_date') }} as day on day.calendar_year = version.plan_year
    cross join (values ('all'), ('out_of_province'), ('key'), ('cultivated')) as scope (scope)
    left join planned
        on planned.retail_plan_key = version.retail_plan_key
        and planned.scope = scope.scope
        and planned.date_day = day.date_day
    left join sold
        on sold.source_system = version.source_system
        and sold.owner_kind = version.owner_kind
        and sold.owner_key = owner.owner_key
        and sold.scope = scope.scope
        and sold.date_day = day.date_day
    cross join lateral (
        values
        ('day', day.date_day, day.date_day),
        ('ten_day', day.ten_day_period_from, day.ten_day_period_to),
        ('month', day.month_start, day.month_end),
        ('year', make_date(day.calendar_year, 1, 1), make_date(day.calendar_year, 12, 31))
    ) as period (period_kind, period_start, period_end)
),

running as (
    select
        *,
        sum(plan_cases) over whole as plan_cases_of_period,
        sum(plan_amount) over whole as plan_amount_of_period,
        sum(plan_cases) over to_date as plan_cases_to_date,
        sum(plan_amount) over to_date as plan_amount_to_date,
        sum(sold_cases) over to_date as sold_cases_to_date,
        sum(sold_amount) over to_date as sold_amount_to_date
    from day_of_plan
    window
        whole as (partition by retail_plan_key, scope, period_kind, period_start),
        to_date as (partition by retail_plan_key, scope, period_kind, period_start order by date_day)
),

with_end as (
    select
        *,
        min(date_day) filter (where sold_cases_to_date >= plan_cases_of_period and plan_cases_of_period > 0) over (
            partition by retail_plan_key, scope, period_kind, period_start order by date_day
        ) as finished_on
    from running
),

measured as (
    select
        with_end.source_system,
        with_end.controller_id,
        with_end.owner_kind,
        with_end.owner_id,
        with_end.owner_key,
        with_end.scope,
        with_end.period_kind,
        with_end.date_day as as_of,
        with_end.period_start,
        with_end.period_end,
        with_end.plan_id,
        with_end.retail_plan_key,
        with_end.plan_version,
        with_end.sold_cases_to_date as sold_cases,
        with_end.sold_amount_to_date as sold_amount,
        with_end.plan_cases_of_period as plan_cases,
        with_end.plan_amount_of_period as plan_amount,
        with_end.plan_cases_to_date,
        with_end.plan_amount_to_date,
        with_end.sold_cases_to_date / nullif(with_end.plan_cases_of_period, 0) as completion,
        with_end.plan_cases_to_date / nullif(with_end.plan_cases_of_period, 0) as plan_progress,
        (with_end.date_day - with_end.period_start + 1)::numeric
        / (with_end.period_end - with_end.period_start + 1) as calendar_progress,
        with_end.sold_amount_to_date / nullif(with_end.plan_amount_of_period, 0) as amount_completion,
        with_end.sold_amount_to_date / nullif(with_end.sold_cases_to_date, 0) as average_price,
        with_end.plan_amount_of_period / nullif(with_end.plan_cases_of_period, 0) as planned_average_price,
        with_end.sold_cases_to_date
        / nullif(sum(with_end.sold_cases_to_date) filter (where with_end.scope = 'all') over of_owner, 0) as volume_share,
        with_end.plan_cases_of_period
        / nullif(sum(with_end.plan_cases_of_period) filter (where with_end.scope = 'all') over of_owner, 0) as planned_share,
        with_end.finished_on,
        with_end.period_end - with_end.finished_on as days_early,
        last_day.working_day_no - finish_day.working_day_no as working_days_early
    from with_end
    inner join (
        select source_system, min(sale_date) as first_sale, max(sale_date) as last_sale
        from {{ ref('fct_retail_sale') }}
        group by source_system
    ) as sales on sales.source_system = with_end.source_system
    inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = with_end.source_system
    left join {{ ref('dim_date') }} as finish_day on finish_day.date_day = with_end.finished_on
    left join {{ ref('dim_date') }} as last_day on last_day.date_day = with_end.period_end
    where with_end.date_day >= with_end.holds_from
        and with_end.date_day < with_end.holds_to
        and with_end.date_day >= sales.first_sale
        and with_end.date_day <= greatest(source_system.last_business_date, sales.last_sale)
    window of_owner as (partition by with_end.retail_plan_key, with_end.period_kind, with_end.date_day)
)

select
    source_system,
    controller_id,
    owner_kind,
    owner_id,
    owner_key,
    scope,
    period_kind,
    as_of,
    period_start,
    period_end,
    plan_id,
    retail_plan_key,
    plan_version,
    sold_cases::numeric(18, 4) as sold_cases,
    sold_amount::numeric(18, 2) as sold_amount,
    plan_cases::numeric(18, 4) as plan_cases,
    plan_amount::numeric(18, 2) as plan_amount,
    plan_cases_to_date::numeric(18, 4) as plan_cases_to_date,
    plan_amount_to_date::numeric(18, 2) as plan_amount_to_date,
    completion::numeric(14, 6) as completion,
    plan_progress::numeric(14, 6) as plan_progress,
    (completion - plan_progress)::numeric(14, 6) as lead,
    calendar_progress::numeric(14, 6) as calendar_progress,
    (completion - calendar_progress)::numeric(14, 6) as calendar_lead,
    amount_completion::numeric(14, 6) as amount_completion,
    average_price::numeric(18, 2) as average_price,
    planned_average_price::numeric(18, 2) as planned_average_price,
    (average_price - planned_average_price)::numeric(18, 2) as price_gap,
    volume_share::numeric(14, 6) as volume_share,
    planned_share::numeric(14, 6) as planned_share,
    (volume_share - planned_share)::numeric(14, 6) as share_gap,
    finished_on,
    days_early::integer as days_early,
    working_days_early::integer as working_days_early
from measured
