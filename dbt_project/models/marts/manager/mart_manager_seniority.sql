-- Seniority pay in both readings of its rule; the rule says which one is paid.
with served as (
    select
        portfolio.manager_id,
        portfolio.period_month,
        portfolio.manager_position,
        portfolio.organisation_id,
        portfolio.controller_id,
        extract(year from age(portfolio.as_of + 1, employee.hired_on))::integer as completed_years
    from {{ ref('mart_manager_portfolio') }} as portfolio
    inner join {{ ref('dim_employee') }} as employee
        on portfolio.employee_key = employee.employee_key
        and portfolio.as_of >= employee.valid_from
        and portfolio.as_of < employee.valid_to
),

priced as (
    select
        served.manager_id,
        served.period_month,
        served.organisation_id,
        served.controller_id,
        served.completed_years,
        max(rule.reading) as reading,
        sum(
            case
                when served.completed_years < rule.minimum_years then 0
                when served.completed_years > rule.from_years
                    and served.completed_years <= coalesce(rule.to_years, served.completed_years)
                    then rule.amount_per_year * served.completed_years
                else 0
            end
        ) as flat_amount,
        sum(
            case
                when served.completed_years < rule.minimum_years then 0
                else rule.amount_per_year * greatest(
                    least(served.completed_years, coalesce(rule.to_years, served.completed_years)) - rule.from_years, 0
                )
            end
        ) as marginal_amount
    from served
    inner join {{ ref('manager_seniority_pay') }} as rule
        on served.manager_position = rule.position
        and served.period_month >= rule.valid_from
        and served.period_month < rule.valid_to
    group by
        served.manager_id,
        served.period_month,
        served.organisation_id,
        served.controller_id,
        served.completed_years
)

select
    manager_id,
    period_month,
    organisation_id,
    controller_id,
    completed_years,
    reading,
    flat_amount::numeric(12, 2) as flat_amount,
    marginal_amount::numeric(12, 2) as marginal_amount,
    case reading when 'flat' then flat_amount else marginal_amount end::numeric(12, 2) as seniority_pay
from priced
