{{ config(materialized='view') }}

select
    balance.source_system,
    balance.controller_id,
    day.date_day,
    balance.account_key,
    account.account_version_key,
    balance.balance,
    balance.currency,
    {{ in_reporting_currency('balance.balance', 'rate') }} as balance_reporting,
    rate.reporting_currency,
    rate.rate_type,
    rate.rate_date,
    balance.known_at
from {{ ref('fct_account_balance') }} as balance
inner join {{ ref('dim_source_system') }} as source_system on source_system.source_system = balance.source_system
inner join {{ ref('dim_date') }} as day
    on day.date_day >= balance.valid_from
    and day.date_day < balance.valid_to
    and day.date_day <= source_system.last_business_date
inner join {{ ref('dim_account') }} as account
    on account.account_key = balance.account_key
    and day.date_day >= account.valid_from
    and day.date_day < account.covers_to
{{ join_reporting_rate('rate', 'balance.controller_id', 'balance.currency', 'day.date_day') }}
