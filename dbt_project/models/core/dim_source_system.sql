{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='source_system') }}

-- Written over, never replaced: fct_account_balance_day stands on it and on dim_date, and two tables that one view stands
-- on cannot be replaced at once.
select
    source_system,
    min(business_date) as first_business_date,
    max(business_date) as last_business_date,
    max(known_at) as last_known_at
from {{ source('ops', 'loaded_file') }}
group by source_system
