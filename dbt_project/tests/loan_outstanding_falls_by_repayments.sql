{{ config(
    store_failures=true,
    fail_calc="count(*) filter (where not is_explained)"
) }}

-- What a loan owes falls by the principal paid and by nothing else (还款与余额勾稽), from the day on which its source began
-- to send repayments. Written-off loans are left out. A difference is explained where a repayment or a change of the
-- loan lies in quarantine; every difference is kept to be looked at.
with since as (
    select source_system, min(paid_on) as first_paid_on
    from {{ ref('fct_repayment') }}
    group by source_system
),

change as (
    select
        source_system,
        loan_key,
        loan_id,
        status,
        valid_from,
        outstanding_principal,
        lag(valid_from) over version as before_from,
        lag(outstanding_principal) over version as outstanding_before
    from {{ ref('dim_loan') }}
    where loan_key > 0
    window version as (partition by loan_key order by valid_from)
),

owed as (
    select
        change.source_system,
        change.loan_key,
        change.loan_id,
        change.before_from,
        change.valid_from,
        change.outstanding_before - change.outstanding_principal as fallen,
        coalesce((
            select sum(repayment.principal_paid)
            from {{ ref('fct_repayment') }} as repayment
            where repayment.loan_key = change.loan_key
                and repayment.paid_on > change.before_from
                and repayment.paid_on <= change.valid_from
        ), 0) as paid
    from change
    inner join since on since.source_system = change.source_system and change.valid_from >= since.first_paid_on
    where change.outstanding_before is not null and change.status <> 'written_off'
)

select
    owed.source_system,
    owed.loan_key,
    owed.before_from,
    owed.valid_from,
    owed.fallen - owed.paid as difference,
    {{ explained_by_quarantine('owed.source_system', 'repayment', 'owed.loan_id', 'owed.before_from') }}
        or {{ explained_by_quarantine('owed.source_system', 'loan', 'owed.loan_id', 'owed.before_from') }} as is_explained
from owed
where owed.fallen <> owed.paid
