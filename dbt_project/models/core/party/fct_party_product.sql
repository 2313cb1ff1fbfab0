{{ config(post_hook="analyze {{ this }}") }}

-- What a party holds of all departments, from when to when: own accounts, loans, cards and wealth, and the services that
-- show in what it does. Several things of one group make one stretch.
with account_held as (
    select
        holder.party_key,
        account.controller_id,
        case
            when product.product_line <> 'deposit' then product.product_line
            when product.product_category = 'time' or account.account_type like '%time%' then 'time_deposit'
            else 'demand_deposit'
        end as product_group,
        greatest(account.valid_from, holder.valid_from, coalesce(account.opened_on, account.life_from)) as held_from,
        least(account.valid_to, holder.valid_to, coalesce(account.closed_on, date '9999-12-31')) as held_to
    from {{ ref('dim_account') }} as account
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.account_key = account.account_key
        and holder.is_owner
        and account.valid_from < holder.valid_to
        and account.valid_to > holder.valid_from
    left join {{ ref('dim_product') }} as product
        on product.product_key = account.product_key
        and product.is_current
    where account.account_key > 0
        and not account.is_inferred
        and account.status is distinct from 'closed'
        and account.account_type is distinct from 'loan_settlement'
),

loan_held as (
    select
        placed.party_key,
        loan.controller_id,
        'loan' as product_group,
        greatest(loan.valid_from, coalesce(loan.disbursed_on, loan.life_from)) as held_from,
        loan.valid_to as held_to
    from {{ ref('dim_loan') }} as loan
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = loan.customer_key
    where loan.status in ('running', 'overdue')
),

card_held as (
    select
        placed.party_key,
        card.controller_id,
        case card.card_kind when 'credit' then 'credit_card' else 'debit_card' end as product_group,
        greatest(card.valid_from, coalesce(card.issued_on, card.life_from)) as held_from,
        card.valid_to as held_to
    from {{ ref('dim_card') }} as card
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = card.customer_key
    where card.status is distinct from 'closed' and not card.is_inferred
),

wealth_held as (
    select
        placed.party_key,
        holding.controller_id,
        coalesce(product.product_category, 'wealth_product') as product_group,
        holding.valid_from as held_from,
        holding.valid_to as held_to
    from {{ ref('fct_holding') }} as holding
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = holding.customer_key
    left join {{ ref('dim_product') }} as product
        on product.product_key = holding.product_key
        and product.is_current
    where holding.market_value > 0
),

fee_collection_held as (
    select
        holder.party_key,
        standing_order.controller_id,
        'fee_collection' as product_group,
        greatest(standing_order.valid_from, standing_order.starts_on, holder.valid_from) as held_from,
        least(standing_order.valid_to, coalesce(standing_order.ends_on, date '9999-12-31'), holder.valid_to) as held_to
    from {{ ref('fct_standing_order') }} as standing_order
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.account_key = standing_order.account_key
        and holder.is_owner
    where standing_order.purpose in ('grid_bill', 'water_bill', 'gas_bill')
),

-- A party that used an electronic channel in a month has it for the months in which nobody would call it dormant.
electronic_bank_held as (
    select
        holder.party_key,
        activity.controller_id,
        'electronic_bank' as product_group,
        greatest(activity.activity_month, holder.valid_from) as held_from,
        least(
            (activity.activity_month + make_interval(
                months => {{ party_parameter('quiet_months', 'activity.activity_month') }}::integer
            ))::date,
            holder.valid_to
        ) as held_to
    from {{ ref('fct_account_channel_month') }} as activity
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.account_key = activity.account_key
        and holder.is_owner
        and activity.activity_month < holder.valid_to
        and (activity.activity_month + interval '1 month')::date > holder.valid_from
    where activity.channel_kind = 'electronic' and activity.posting_count > 0
),

held as (
    select * from account_held
    union all
    select * from loan_held
    union all
    select * from card_held
    union all
    select * from wealth_held
    union all
    select * from fee_collection_held
    union all
    select * from electronic_bank_held
),

stretch as (
    select
        controller_id,
        party_key,
        product_group,
        unnest(range_agg(daterange(held_from, held_to))) as days
    from held
    where held_from < held_to
    group by controller_id, party_key, product_group
)

select
    stretch.controller_id,
    stretch.party_key,
    stretch.product_group,
    product_group.product_line,
    lower(stretch.days) as valid_from,
    upper(stretch.days) as valid_to,
    upper(stretch.days) = date '9999-12-31' as is_current
from stretch
inner join {{ ref('product_group') }} as product_group on product_group.product_group = stretch.product_group
