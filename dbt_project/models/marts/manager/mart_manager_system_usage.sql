-- How often each manager works with each system, those that he never opened too.
with day_used as (
    select
        controller_id,
        employee_key,
        system_id,
        usage_date,
        system_version,
        sum(login_count) as login_count,
        sum(minutes_used) as minutes_used
    from {{ ref('fct_system_usage') }}
    group by controller_id, employee_key, system_id, usage_date, system_version
    having sum(row_sign) > 0
),

month_used as (
    select
        controller_id,
        employee_key,
        system_id,
        date_trunc('month', usage_date)::date as period_month,
        count(*) as days_used,
        sum(login_count) as login_count,
        sum(minutes_used) as minutes_used,
        (array_agg(system_version order by usage_date desc))[1] as system_version
    from day_used
    group by 1, 2, 3, 4
)

select
    portfolio.manager_id,
    portfolio.period_month,
    business_system.system_id,
    business_system.system_name,
    business_system.system_name_zh,
    portfolio.as_of,
    portfolio.working_days,
    coalesce(month_used.days_used, 0)::integer as days_used,
    round(coalesce(month_used.days_used, 0)::numeric / nullif(portfolio.working_days, 0), 6)::numeric(9, 6) as usage_rate,
    coalesce(month_used.login_count, 0)::integer as login_count,
    coalesce(month_used.minutes_used, 0)::integer as minutes_used,
    month_used.system_version,
    portfolio.organisation_id,
    portfolio.controller_id
from {{ ref('mart_manager_portfolio') }} as portfolio
inner join {{ ref('business_system') }} as business_system
    on portfolio.controller_id = business_system.controller_id
left join month_used
    on portfolio.employee_key = month_used.employee_key
    and portfolio.period_month = month_used.period_month
    and business_system.system_id = month_used.system_id
