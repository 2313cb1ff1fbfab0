{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['card_key', 'activity_month'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_card_transaction', 'fct_card_authorisation']) }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- All measures add up: what arrived with the batches of this run, and with no other, is added to the months that it falls
-- in. A row that was corrected comes back with its correction.
with arrived as (
    select
        source_system,
        controller_id,
        card_key,
        date_trunc('month', accounting_date)::date as activity_month,
        currency,
        known_at,
        case when transaction_type = 'purchase' then row_sign else 0 end as purchase_count,
        case when transaction_type = 'purchase' then amount else 0 end as purchase_amount,
        case when transaction_type = 'cash' then row_sign else 0 end as cash_count,
        case when transaction_type = 'cash' then amount else 0 end as cash_amount,
        case when transaction_type in ('refund', 'reversal') then row_sign else 0 end as returned_count,
        case when transaction_type in ('refund', 'reversal') then amount else 0 end as returned_amount,
        case when transaction_type in ('fee', 'interest') then amount else 0 end as fee_amount,
        case when transaction_type = 'repayment' then amount else 0 end as repayment_amount,
        case when is_fraud then row_sign else 0 end as fraud_count,
        case when is_fraud then amount else 0 end as fraud_amount,
        0 as approved_count,
        0 as declined_count
    from {{ ref('fct_card_transaction') }}
    where file_id = any({{ pending_files() }})
    union all
    select
        source_system,
        controller_id,
        card_key,
        date_trunc('month', authorised_at)::date,
        currency,
        known_at,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        case when is_approved then row_sign else 0 end,
        case when is_approved then 0 else row_sign end
    from {{ ref('fct_card_authorisation') }}
    where file_id = any({{ pending_files() }})
),

added_to as (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select
        source_system,
        controller_id,
        card_key,
        activity_month,
        currency,
        known_at,
        purchase_count,
        purchase_amount,
        cash_count,
        cash_amount,
        returned_count,
        returned_amount,
        fee_amount,
        repayment_amount,
        fraud_count,
        fraud_amount,
        approved_count,
        declined_count
    from {{ this }} as kept
    where (kept.card_key, kept.activity_month) in (select card_key, activity_month from arrived)
    {%- endif %}
)

select
    source_system,
    controller_id,
    card_key,
    activity_month,
    currency,
    sum(purchase_count)::integer as purchase_count,
    sum(purchase_amount)::numeric(18, 2) as purchase_amount,
    sum(cash_count)::integer as cash_count,
    sum(cash_amount)::numeric(18, 2) as cash_amount,
    sum(returned_count)::integer as returned_count,
    sum(returned_amount)::numeric(18, 2) as returned_amount,
    sum(fee_amount)::numeric(18, 2) as fee_amount,
    sum(repayment_amount)::numeric(18, 2) as repayment_amount,
    sum(fraud_count)::integer as fraud_count,
    sum(fraud_amount)::numeric(18, 2) as fraud_amount,
    sum(approved_count)::integer as approved_count,
    sum(declined_count)::integer as declined_count,
    max(known_at) as known_at
from added_to
group by source_system, controller_id, card_key, activity_month, currency
