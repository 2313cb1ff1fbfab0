{{ config(materialized='view') }}

-- The accounts of a cash pool, from when to when: its header, and its members while both agreement and membership hold.
with pool as (
    select
        *,
        greatest(starts_on, valid_from) as in_force_from,
        least(ends_on + 1, valid_to) as in_force_to
    from {{ ref('dim_cash_pool') }}
    where not is_inferred and cash_pool_key > 0
),

belonging as (
    select
        pool.cash_pool_key,
        pool.header_account_key as account_key,
        pool.header_account_id as account_id,
        'header' as pool_role,
        null::numeric(18, 2) as target_balance,
        pool.in_force_from as valid_from,
        pool.in_force_to as valid_to,
        pool.source_system,
        pool.controller_id,
        pool.cash_pool_id,
        pool.pool_kind
    from pool
    union all
    select
        pool.cash_pool_key,
        membership.account_key,
        membership.account_id,
        'member',
        membership.target_balance,
        greatest(membership.starts_on, membership.valid_from, pool.in_force_from),
        least(membership.ends_on + 1, membership.valid_to, pool.in_force_to),
        pool.source_system,
        pool.controller_id,
        pool.cash_pool_id,
        pool.pool_kind
    from {{ ref('dim_cash_pool_member') }} as membership
    inner join pool on pool.cash_pool_key = membership.cash_pool_key
    where not membership.is_inferred and membership.cash_pool_member_key > 0
)

select
    cash_pool_key,
    account_key,
    source_system,
    controller_id,
    cash_pool_id,
    account_id,
    pool_role,
    pool_kind,
    target_balance,
    valid_from,
    valid_to,
    valid_to = date '9999-12-31' as is_current
from belonging
where valid_from < valid_to
