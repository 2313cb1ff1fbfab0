{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['account_key', 'activity_month'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['fct_account_transaction']) }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- Counts add up: what arrived with the batches of this run, and with no other, is added to the months that it falls in. A
-- posting that was corrected comes back with its correction.
with arrived as (
    select
        posting.controller_id,
        posting.account_key,
        date_trunc('month', posting.accounting_date)::date as activity_month,
        coalesce(channel.channel_kind, 'unknown') as channel_kind,
        posting.row_sign as posting_count,
        posting.known_at
    from {{ ref('fct_account_transaction') }} as posting
    left join {{ ref('dim_channel') }} as channel on channel.channel_key = posting.channel_key
    where posting.file_id = any({{ pending_files() }})
),

added_to as (
    select controller_id, account_key, activity_month, channel_kind, posting_count, known_at from arrived
    {%- if is_incremental() %}
    union all
    select controller_id, account_key, activity_month, channel_kind, posting_count, known_at
    from {{ this }}
    where (account_key, activity_month) in (select account_key, activity_month from arrived)
    {%- endif %}
)

select
    controller_id,
    account_key,
    activity_month,
    channel_kind,
    sum(posting_count)::integer as posting_count,
    max(known_at) as known_at
from added_to
group by controller_id, account_key, activity_month, channel_kind
