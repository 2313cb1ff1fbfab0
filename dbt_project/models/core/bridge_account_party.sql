{{ config(post_hook="analyze {{ this }}") }}

-- Who holds an account, from when to when, in which role and with which share. The first holders of an account hold it from
-- its begin. An account whose source keeps no holders is held by its customer. Shares of the owners of an account add up to
-- one on every day: where the source keeps none, the rest is split equally; where they add up to something else, they are
-- scaled; what rounding leaves goes to the first owner.
with version as (
    {{ type2_versions('account_holder') }}
),

sent as (
    select
        source_system,
        account_id,
        customer_id,
        account_holder_key,
        holder_id,
        holder_role,
        share,
        greatest(valid_from, life_from) as begins_on,
        valid_to as ends_on
    from version
    where not is_inferred and account_holder_key > 0 and valid_to > life_from
),

holding as (
    select
        source_system,
        account_id,
        customer_id,
        holder_id,
        holder_role,
        share,
        case
            when begins_on = min(begins_on) over (partition by source_system, account_id) then date '0001-01-01'
            else begins_on
        end as begins_on,
        ends_on,
        holder_role in ('owner', 'joint_owner') as is_owner
    from sent
    union all
    select
        account.source_system,
        account.account_id,
        account.customer_id,
        account.account_id,
        'owner',
        1,
        account.valid_from,
        account.covers_to,
        true
    from {{ ref('dim_account') }} as account
    where account.customer_id is not null
        and not exists (
            select 1 from sent
            where sent.source_system = account.source_system and sent.account_id = account.account_id
        )
),

change_day as (
    select source_system, account_id, begins_on as day from holding
    union
    select source_system, account_id, ends_on from holding
),

stretch as (
    select source_system, account_id, day as valid_from, lead(day) over (partition by source_system, account_id order by day) as valid_to
    from change_day
),

held as (
    select
        holding.*,
        stretch.valid_from,
        stretch.valid_to,
        count(*) filter (where is_owner and share is null) over owners as owners_without_share,
        sum(share) filter (where is_owner) over owners as share_known,
        row_number() over (
            partition by holding.source_system, holding.account_id, stretch.valid_from
            order by is_owner desc, holder_role = 'owner' desc, holder_id collate "C"
        ) as owner_no
    from holding
    inner join stretch
        on stretch.source_system = holding.source_system
        and stretch.account_id = holding.account_id
        and stretch.valid_from >= holding.begins_on
        and stretch.valid_to <= holding.ends_on
    window owners as (partition by holding.source_system, holding.account_id, stretch.valid_from)
),

weighed as (
    select
        *,
        case
            when not is_owner then 0
            when owners_without_share = 0 and coalesce(share_known, 0) = 0 then 1.0 / count(*) filter (where is_owner) over owners
            when owners_without_share = 0 then share / share_known
            when share is not null and coalesce(share_known, 0) < 1 then share
            when share is not null then share / share_known
            else greatest(1 - coalesce(share_known, 0), 0) / owners_without_share
        end as weight
    from held
    window owners as (partition by source_system, account_id, valid_from)
),

shared as (
    select
        *,
        round(weight, 6) + case
            when is_owner and owner_no = 1
                then 1 - sum(case when is_owner then round(weight, 6) else 0 end) over (partition by source_system, account_id, valid_from)
            else 0
        end as owned_share
    from weighed
)

select
    {{ member_key('account', 'shared.source_system', 'shared.account_id') }} as account_key,
    coalesce(placed.party_key, -1) as party_key,
    {{ member_key('customer', 'shared.source_system', 'shared.customer_id') }} as customer_key,
    shared.source_system,
    shared.account_id,
    shared.customer_id,
    shared.holder_id,
    shared.holder_role,
    shared.is_owner,
    shared.owned_share::numeric(9, 6) as share,
    shared.share is null and shared.is_owner as is_share_assumed,
    shared.valid_from,
    shared.valid_to,
    shared.valid_to = date '9999-12-31' as is_current
from shared
left join {{ ref('bridge_party_source') }} as placed
    on placed.source_system = shared.source_system and placed.customer_id = shared.customer_id
