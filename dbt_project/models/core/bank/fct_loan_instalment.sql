{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='loan_key',
    pre_hook="{{ take_up(after=['fct_repayment_schedule', 'fct_repayment']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['due_on']}]
) }}

-- What was due by the schedule beside what was paid, for the loans that schedules or repayments of this run speak of. An
-- instalment is settled on the day on which all payments up to it cover its principal and interest; days_late count from
-- the due date to that day. A repayment that no schedule names stands as an instalment without a due date.
with touched as (
    {%- if is_incremental() %}
    select loan_key from {{ ref('fct_repayment_schedule') }} where file_id = any({{ pending_files() }})
    union
    select loan_key from {{ ref('fct_repayment') }} where file_id = any({{ pending_files() }})
    {%- else %}
    select loan_key from {{ ref('fct_repayment_schedule') }}
    union
    select loan_key from {{ ref('fct_repayment') }}
    {%- endif %}
),

due as (
    select
        source_system,
        controller_id,
        loan_key,
        loan_id,
        instalment_no,
        max(due_on) filter (where is_head) as due_on,
        sum(principal_due) as principal_due,
        sum(interest_due) as interest_due,
        max(known_at) as known_at
    from (
        select
            *,
            row_sign = 1 and row_number() over (
                partition by loan_key, instalment_no order by known_at desc, file_id desc, row_sign desc
            ) = 1 as is_head
        from {{ ref('fct_repayment_schedule') }}
        where loan_key in (select loan_key from touched)
    ) as line
    group by source_system, controller_id, loan_key, loan_id, instalment_no
),

payment as (
    select
        source_system,
        controller_id,
        loan_key,
        loan_id,
        instalment_no,
        paid_on,
        sum(principal_paid) as principal_paid,
        sum(interest_paid) as interest_paid,
        sum(penalty_paid) as penalty_paid,
        sum(row_sign) as payment_count,
        max(known_at) as known_at
    from {{ ref('fct_repayment') }}
    where loan_key in (select loan_key from touched)
    group by source_system, controller_id, loan_key, loan_id, instalment_no, paid_on
),

progress as (
    select
        *,
        sum(principal_paid + interest_paid) over (partition by loan_key, instalment_no order by paid_on) as paid_up_to
    from payment
),

paid as (
    select
        progress.source_system,
        progress.controller_id,
        progress.loan_key,
        progress.loan_id,
        progress.instalment_no,
        min(progress.paid_on) filter (where progress.paid_up_to >= due.principal_due + due.interest_due) as settled_on,
        max(progress.paid_on) filter (where progress.payment_count > 0) as last_paid_on,
        sum(progress.principal_paid) as principal_paid,
        sum(progress.interest_paid) as interest_paid,
        sum(progress.penalty_paid) as penalty_paid,
        sum(progress.payment_count) as payment_count,
        max(progress.known_at) as known_at
    from progress
    left join due on due.loan_key = progress.loan_key and due.instalment_no = progress.instalment_no
    group by progress.source_system, progress.controller_id, progress.loan_key, progress.loan_id, progress.instalment_no
)

select
    coalesce(due.source_system, paid.source_system) as source_system,
    coalesce(due.controller_id, paid.controller_id) as controller_id,
    loan_key,
    coalesce(due.loan_id, paid.loan_id) as loan_id,
    instalment_no,
    due.due_on,
    coalesce(due.principal_due, 0)::numeric(18, 2) as principal_due,
    coalesce(due.interest_due, 0)::numeric(18, 2) as interest_due,
    paid.last_paid_on,
    coalesce(paid.principal_paid, 0)::numeric(18, 2) as principal_paid,
    coalesce(paid.interest_paid, 0)::numeric(18, 2) as interest_paid,
    coalesce(paid.penalty_paid, 0)::numeric(18, 2) as penalty_paid,
    coalesce(paid.payment_count, 0)::integer as payment_count,
    paid.settled_on,
    case when paid.settled_on is not null then greatest(paid.settled_on - due.due_on, 0) end as days_late,
    greatest(due.known_at, paid.known_at) as known_at
from due
full join paid using (loan_key, instalment_no)
