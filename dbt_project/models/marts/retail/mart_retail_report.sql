-- Reports of the days that mart_retail_progress keeps; fct_retail_report has all.
with reported as (
    select source_system, controller_id, report_no, organisation_key, organisation_id, period_kind, as_of, scope, figure,
        decimals,
        sum(printed_value) as printed_value
    from {{ ref('fct_retail_report') }}
    group by source_system, controller_id, report_no, organisation_key, organisation_id, period_kind, as_of, scope, figure,
        decimals
    having sum(row_sign) > 0
),

compared as (
    select
        reported.*,
        round(figure.computed_value, 4) as computed_value,
        round(figure.calendar_value, 4) as calendar_value
    from reported
    left join {{ ref('mart_retail_progress') }} as progress
        on progress.source_system = reported.source_system
        and progress.owner_kind = 'organisation'
        and progress.owner_id = reported.organisation_id
        and progress.scope = reported.scope
        and progress.period_kind = reported.period_kind
        and progress.as_of = reported.as_of
    left join lateral (
        values
        ('sold_cases', progress.sold_cases, null),
        ('plan_cases', progress.plan_cases, null),
        ('completion', progress.completion * 100, null),
        ('lead', progress.lead * 100, progress.calendar_lead * 100),
        ('average_price', progress.average_price, null),
        ('planned_average_price', progress.planned_average_price, null),
        ('price_gap', progress.price_gap, null),
        ('volume_share', progress.volume_share * 100, null),
        ('planned_share', progress.planned_share * 100, null),
        ('share_gap', progress.share_gap * 100, null),
        ('days_early', progress.days_early, null),
        ('working_days_early', progress.working_days_early, null)
    ) as figure (figure, computed_value, calendar_value) on figure.figure = reported.figure
    where reported.as_of >= (select min(as_of) from {{ ref('mart_retail_progress') }})
)

select
    compared.source_system,
    compared.report_no,
    compared.organisation_id,
    unit.organisation_name,
    compared.period_kind,
    compared.as_of,
    compared.scope,
    compared.figure as figure_id,
    compared.printed_value::numeric(18, 4) as printed_value,
    compared.decimals,
    compared.computed_value::numeric(18, 4) as computed_value,
    (compared.printed_value - compared.computed_value)::numeric(18, 4) as difference,
    case
        when compared.computed_value is null then 'not_computable'
        when {{ printed_as('compared.computed_value') }} then 'follows'
        else 'does_not_follow'
    end as verdict,
    compared.calendar_value::numeric(18, 4) as calendar_value,
    {{ printed_as('compared.calendar_value') }} as follows_calendar,
    compared.controller_id
from compared
left join {{ ref('dim_organisation') }} as unit
    on unit.organisation_key = compared.organisation_key
    and compared.as_of >= unit.valid_from
    and compared.as_of < unit.covers_to
