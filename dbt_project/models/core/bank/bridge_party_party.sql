{{ config(post_hook="analyze {{ this }}") }}

-- How parties stand to each other, from when to when. A relation starts from the firm or borrower and leads to the one who
-- is its legal representative, shareholder, guarantor and so on. Who guarantees a loan guarantees for its borrower.
with relation as (
    {{ type2_versions('customer_relation') }}
),

guarantee as (
    {{ type2_versions('guarantee') }}
),

borrower as (
    select
        source_system,
        loan_id,
        customer_id,
        min(valid_from) as valid_from,
        max(covers_to) as valid_to
    from {{ ref('dim_loan') }}
    where customer_id is not null
    group by source_system, loan_id, customer_id
),

related as (
    select
        source_system,
        controller_id,
        customer_relation_id as relation_id,
        'customer_relation' as relation_source,
        from_customer_id,
        to_customer_id,
        to_name,
        relation_type,
        share,
        greatest(starts_on, valid_from) as valid_from,
        least(ends_on + 1, valid_to) as valid_to
    from relation
    where not is_inferred and customer_relation_key > 0
    union all
    select
        guarantee.source_system,
        guarantee.controller_id,
        guarantee.guarantee_id,
        'guarantee',
        borrower.customer_id,
        guarantee.guarantor_customer_id,
        null,
        'guarantor',
        null,
        greatest(guarantee.starts_on, guarantee.valid_from, borrower.valid_from),
        least(guarantee.ends_on + 1, guarantee.valid_to, borrower.valid_to)
    from guarantee
    inner join borrower
        on borrower.source_system = guarantee.source_system and borrower.loan_id = guarantee.loan_id
    where not guarantee.is_inferred and guarantee.guarantee_key > 0
)

select
    coalesce(from_party.party_key, -1) as from_party_key,
    coalesce(to_party.party_key, case when related.to_customer_id is null then -2 else -1 end) as to_party_key,
    {{ member_key('customer', 'related.source_system', 'related.from_customer_id') }} as from_customer_key,
    {{ member_key('customer', 'related.source_system', 'related.to_customer_id') }} as to_customer_key,
    related.*,
    related.valid_to = date '9999-12-31' as is_current
from related
left join {{ ref('bridge_party_source') }} as from_party
    on from_party.source_system = related.source_system and from_party.customer_id = related.from_customer_id
left join {{ ref('bridge_party_source') }} as to_party
    on to_party.source_system = related.source_system and to_party.customer_id = related.to_customer_id
where related.valid_from < related.valid_to
