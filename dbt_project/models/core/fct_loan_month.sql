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
    source_system,
    controller_id,
    loan_key,
    loan_version_key,
    loan_id,
    month_start as loan_month,
    as_of,
    account_key,
    customer_key,
    product_key,
    organisation_key,
    loan_type,
    principal,
    outstanding_principal,
    currency,
    annual_rate,
    monthly_payment,
    guarantee_kind,
    five_class,
    days_past_due,
    status,
    source_status,
    known_from as known_at
from month_of_loan
where status is distinct from 'settled' or month_start <= greatest(valid_from, begins_on)
