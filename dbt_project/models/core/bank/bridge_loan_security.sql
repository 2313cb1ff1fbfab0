{{ config(post_hook="analyze {{ this }}") }}

-- What secures a loan, from when to when: its collateral at the value last appraised, and the guarantees for it.
with guarantee as (
    {{ type2_versions('guarantee') }}
),

security as (
    select
        source_system,
        controller_id,
        loan_id,
        collateral_id as security_id,
        'collateral' as security_kind,
        collateral_type,
        owner_customer_id as provider_customer_id,
        appraised_value as secured_amount,
        appraised_on,
        registered_no,
        greatest(valid_from, life_from) as valid_from,
        least(released_on, valid_to) as valid_to
    from {{ ref('dim_collateral') }}
    where not is_inferred and collateral_key > 0
    union all
    select
        source_system,
        controller_id,
        loan_id,
        guarantee_id,
        'guarantee',
        null,
        guarantor_customer_id,
        guarantee_amount,
        null,
        null,
        greatest(starts_on, valid_from),
        least(ends_on + 1, valid_to)
    from guarantee
    where not is_inferred and guarantee_key > 0
)

select
    {{ member_key('loan', 'security.source_system', 'security.loan_id') }} as loan_key,
    coalesce(placed.party_key, case when security.provider_customer_id is null then -2 else -1 end) as provider_party_key,
    {{ member_key('customer', 'security.source_system', 'security.provider_customer_id') }} as provider_customer_key,
    security.*,
    security.valid_to = date '9999-12-31' as is_current
from security
left join {{ ref('bridge_party_source') }} as placed
    on placed.source_system = security.source_system and placed.customer_id = security.provider_customer_id
where security.valid_from < security.valid_to
