{{ config(post_hook="analyze {{ this }}") }}

-- How far a party's products reach over the departments at the end of a month, and the retention that they tell.
with held_at_end as (
    select
        month.controller_id,
        month.party_key,
        month.figures_month,
        month.as_of,
        held.product_group,
        product_group.essential_product,
        product_group.account_kind
    from {{ ref('fct_party_month') }} as month
    inner join {{ ref('fct_party_product') }} as held
        on held.controller_id = month.controller_id
        and held.party_key = month.party_key
        and month.as_of >= held.valid_from
        and month.as_of < held.valid_to
    inner join {{ ref('product_group') }} as product_group on product_group.product_group = held.product_group
),

coverage as (
    select
        controller_id,
        party_key,
        figures_month,
        as_of,
        count(*)::integer as product_group_count,
        count(distinct essential_product)::integer as essential_product_count,
        count(distinct account_kind)::integer as account_kind_count,
        array_agg(distinct account_kind order by account_kind) filter (where account_kind is not null) as account_kinds
    from held_at_end
    group by controller_id, party_key, figures_month, as_of
)

-- GT-19: by the kinds of account; three kinds are not given, and not interpolated.
select
    coverage.controller_id,
    coverage.party_key,
    coverage.figures_month,
    coverage.as_of,
    coverage.product_group_count,
    coverage.essential_product_count,
    coverage.account_kind_count,
    retention.retention as retention_rate
from coverage
left join {{ ref('retention_by_account_kind') }} as retention
    on retention.account_kinds = case
        when coverage.account_kind_count >= 4 then '4+'
        when coverage.account_kinds <@ array['cheque', 'deposit'] then array_to_string(coverage.account_kinds, '+')
        else coverage.account_kind_count::text
    end
    and coverage.as_of >= retention.valid_from
    and coverage.as_of < retention.valid_to
