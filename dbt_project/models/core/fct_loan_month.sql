{{ config(post_hook="analyze {{ this }}") }}

-- A loan has a row for each month from the one in which it was paid out (or first known) to the one in which it was
-- settled, with its state on the last day of the month, or on the last business date in the month that still runs.
with loan as (
    select
        version.*,
        greatest(coalesce(version.disbursed_on, version.life_from), version.life_from) as begins_on,
        source_system.last_business_date
    from {{ ref('dim_loan') }} as version
    inner join {{ ref('dim_source_system') }} as source_system
        on source_system.source_system = version.source_system
    where not version.is_inferred
),

month_of_loan as (
    select
        loan.*,
        month.month_start,
        least(month.month_end, loan.last_business_date) as as_of
    from loan
    inner join {{ ref('dim_date') }} as month
        on month.day_of_month = 1
        and month.month_end >= loan.begins_on
        and month.month_start <= loan.last_business_date
        and least(month.month_end, loan.last_business_date) >= loan.valid_from
        and least(month.month_end, loan.last_business_date) < loan.valid_to
)

select
    month_of_loan.source_system,
    month_of_loan.controller_id,
    month_of_loan.loan_key,
    month_of_loan.loan_version_key,
    month_of_loan.loan_id,
    month_of_loan.month_start as loan_month,
    month_of_loan.as_of,
    month_of_loan.account_key,
    month_of_loan.customer_key,
    month_of_loan.product_key,
    month_of_loan.organisation_key,
    month_of_loan.loan_type,
    month_of_loan.principal,
    month_of_loan.outstanding_principal,
    month_of_loan.currency,
    {{ in_reporting_currency('month_of_loan.outstanding_principal', 'rate') }} as outstanding_principal_reporting,
    rate.reporting_currency,
    rate.rate_type,
    rate.rate_date,
    month_of_loan.annual_rate,
    month_of_loan.monthly_payment,
    month_of_loan.guarantee_kind,
    month_of_loan.five_class,
    month_of_loan.days_past_due,
    month_of_loan.status,
    month_of_loan.source_status,
    month_of_loan.known_from as known_at
from month_of_loan
{{ join_reporting_rate('rate', 'month_of_loan.controller_id', 'month_of_loan.currency', 'month_of_loan.as_of') }}
where month_of_loan.status is distinct from 'settled'
    or month_of_loan.month_start <= greatest(month_of_loan.valid_from, month_of_loan.begins_on)
