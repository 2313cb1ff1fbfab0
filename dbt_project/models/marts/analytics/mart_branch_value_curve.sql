-- The 20/80 curve (二八曲线, C360-31) of every organisation with all below it: the share of the contribution that its best
-- customers bring, in steps of five per cent of the customers. Who has no home organisation stands under 'unknown'.
with placed as (
    select
        customer.controller_id,
        coalesce(above.organisation_id, 'unknown') as organisation_id,
        customer.party_key,
        customer.as_of,
        customer.contribution_amount
    from {{ ref('mart_customer_value') }} as customer
    left join {{ ref('dim_organisation') }} as home
        on home.controller_id = customer.controller_id
        and home.organisation_id = customer.organisation_id
        and home.is_current
    left join {{ ref('bridge_organisation') }} as tree
        on tree.organisation_key = home.organisation_key
        and customer.as_of >= tree.valid_from
        and customer.as_of < tree.valid_to
    left join {{ ref('dim_organisation') }} as above
        on above.organisation_key = tree.ancestor_organisation_key
        and above.is_current
),

ranked as (
    select
        *,
        row_number() over (partition by controller_id, organisation_id order by contribution_amount desc, party_key) as value_rank,
        count(*) over (partition by controller_id, organisation_id) as party_count
    from placed
)

select
    ranked.controller_id,
    ranked.organisation_id,
    step.customer_share,
    max(ranked.as_of) as as_of,
    ceil(max(ranked.party_count) * step.customer_share)::integer as party_count,
    (sum(ranked.contribution_amount) filter (where ranked.value_rank <= ceil(ranked.party_count * step.customer_share)))::numeric(18, 2)
        as contribution_amount,
    (
        sum(ranked.contribution_amount) filter (where ranked.value_rank <= ceil(ranked.party_count * step.customer_share))
        / nullif(sum(ranked.contribution_amount), 0)
    )::numeric(18, 6) as contribution_share
from ranked
cross join (select (number * 0.05)::numeric(3, 2) as customer_share from generate_series(1, 20) as number) as step
group by ranked.controller_id, ranked.organisation_id, step.customer_share
