-- Units in business on the last day counted, with the customer managers who are theirs and the number that they need.
with month as (
    select distinct
        period_month,
        as_of
    from {{ ref('mart_manager_portfolio') }}
),

staffed as (
    select
        organisation.organisation_id,
        month.period_month,
        organisation.controller_id,
        organisation.organisation_level,
        rule.minimum_managers,
        count(portfolio.manager_id) as manager_count
    from month
    inner join {{ ref('dim_organisation') }} as organisation
        on month.as_of >= organisation.valid_from
        and month.as_of < organisation.valid_to
        and not organisation.is_inferred
        and coalesce(organisation.closed_on, date '9999-12-31') > month.as_of
    inner join {{ ref('manager_staffing_rule') }} as rule
        on organisation.organisation_level = rule.organisation_level
        and month.period_month >= rule.valid_from
        and month.period_month < rule.valid_to
    left join {{ ref('mart_manager_portfolio') }} as portfolio
        on organisation.organisation_id = portfolio.organisation_id
        and organisation.controller_id = portfolio.controller_id
        and month.period_month = portfolio.period_month
    group by
        organisation.organisation_id,
        month.period_month,
        organisation.controller_id,
        organisation.organisation_level,
        rule.minimum_managers
)

select
    organisation_id,
    period_month,
    controller_id,
    organisation_level,
    manager_count::integer as manager_count,
    minimum_managers,
    greatest(minimum_managers - manager_count, 0)::integer as managers_short,
    manager_count >= minimum_managers as is_met
from staffed
