{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='account_key',
    pre_hook="{{ take_up(after=['int_account__changes', 'dim_account', 'fct_contact']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['event_date']}]
) }}

-- Openings and closings as the account's last version tells them. The annual check of basic accounts (基本账户年检, CTL-40)
-- is a contact of the manager for that purpose in which the customer was reached: it checks the basic accounts that he has
-- on that day. Only accounts of which something arrived are made anew.
{% set pending = 'file_id = any(' ~ pending_files() ~ ')' -%}
with checking as (
    select contact.*
    from {{ ref('fct_contact') }} as contact
    where contact.purpose = 'annual_check' and contact.outcome in ('reached', 'deal')
),

touched as (
    select account_key from {{ ref('int_account__changes') }}
    {%- if is_incremental() %}
    where {{ pending }}
    union
    select account.account_key
    from {{ ref('dim_account') }} as account
    inner join checking on checking.customer_key = account.customer_key
    where account.account_type = 'corporate_basic' and checking.{{ pending }}
    {%- endif %}
),

account as (
    select *
    from {{ ref('dim_account') }}
    where account_key > 0 and not is_inferred and account_key in (select account_key from touched)
),

last_version as (
    select distinct on (account_key) *
    from account
    order by account_key, valid_from desc
),

checked as (
    select
        checking.contact_id,
        checking.customer_key,
        checking.source_system,
        max(checking.contacted_at)::date as checked_on,
        max(checking.known_at) as known_at
    from checking
    where checking.customer_key in (select customer_key from account)
    group by checking.contact_id, checking.customer_key, checking.source_system
    having sum(checking.row_sign) > 0
),

event as (
    select account_key, 'opening' as event_type, opened_on as event_date, null as contact_id, known_from as known_at
    from last_version
    where opened_on is not null
    union all
    select account_key, 'closing', closed_on, null, known_from
    from last_version
    where closed_on is not null
    union all
    select account.account_key, 'annual_check', checked.checked_on, checked.contact_id, greatest(checked.known_at, account.known_from)
    from checked
    inner join account
        on account.customer_key = checked.customer_key
        and checked.checked_on >= account.valid_from
        and checked.checked_on < account.valid_to
    where account.account_type = 'corporate_basic'
        and account.opened_on <= checked.checked_on
        and (account.closed_on is null or account.closed_on > checked.checked_on)
)

select
    account.source_system,
    account.controller_id,
    event.account_key,
    account.account_version_key,
    account.customer_key,
    account.product_key,
    account.organisation_key,
    account.account_id,
    event.event_type,
    event.event_date,
    coalesce(event.contact_id, '') as contact_id,
    account.account_type,
    event.known_at
from event
inner join account
    on account.account_key = event.account_key
    and event.event_date >= account.valid_from
    and event.event_date < account.covers_to
