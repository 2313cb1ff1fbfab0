{{ config(post_hook="analyze {{ this }}") }}

-- What is known of a party, from all its customers: on each day on which one of them changes, each attribute comes from the
-- first source in the order of survivorship_source that has it.
with member as (
    select
        placed.party_key,
        placed.party_id,
        placed.since_known_at,
        coalesce(survivorship.survivorship_rank, 99) as survivorship_rank,
        customer.*
    from {{ ref('bridge_party_source') }} as placed
    inner join {{ ref('dim_customer') }} as customer on customer.customer_key = placed.customer_key
    left join {{ ref('survivorship_source') }} as survivorship
        on survivorship.source_system = placed.source_system
),

change_day as (
    select distinct party_key, valid_from from member
),

picture as (
    select
        change_day.party_key,
        change_day.valid_from,
        max(member.party_id) as party_id,
        (array_agg(member.party_kind order by member.survivorship_rank, member.customer_key) filter (where member.party_kind is not null))[1] as party_kind,
        (array_agg(member.customer_name order by member.survivorship_rank, member.customer_key) filter (where member.customer_name is not null))[1] as party_name,
        (array_agg(member.id_type order by member.survivorship_rank, member.customer_key) filter (where member.id_type is not null))[1] as id_type,
        (array_agg(member.id_number order by member.survivorship_rank, member.customer_key) filter (where member.id_number is not null))[1] as id_number,
        (array_agg(member.id_valid_to order by member.survivorship_rank, member.customer_key) filter (where member.id_valid_to is not null))[1] as id_valid_to,
        (array_agg(member.gender order by member.survivorship_rank, member.customer_key) filter (where member.gender is not null))[1] as gender,
        (array_agg(member.birth_date order by member.survivorship_rank, member.customer_key) filter (where member.birth_date is not null))[1] as birth_date,
        (array_agg(member.nationality order by member.survivorship_rank, member.customer_key) filter (where member.nationality is not null))[1] as nationality,
        (array_agg(member.mobile order by member.survivorship_rank, member.customer_key) filter (where member.mobile is not null))[1] as mobile,
        (array_agg(member.email order by member.survivorship_rank, member.customer_key) filter (where member.email is not null))[1] as email,
        (array_agg(member.address order by member.survivorship_rank, member.customer_key) filter (where member.address is not null))[1] as address,
        (array_agg(member.region_code order by member.survivorship_rank, member.customer_key) filter (where member.region_code is not null))[1] as region_code,
        (array_agg(member.occupation order by member.survivorship_rank, member.customer_key) filter (where member.occupation is not null))[1] as occupation,
        (array_agg(member.industry_code order by member.survivorship_rank, member.customer_key) filter (where member.industry_code is not null))[1] as industry_code,
        (array_agg(member.firm_size order by member.survivorship_rank, member.customer_key) filter (where member.firm_size is not null))[1] as firm_size,
        (array_agg(member.registered_capital order by member.survivorship_rank, member.customer_key) filter (where member.registered_capital is not null))[1] as registered_capital,
        (array_agg(member.legal_representative order by member.survivorship_rank, member.customer_key) filter (where member.legal_representative is not null))[1] as legal_representative,
        (array_agg(member.customer_level order by member.survivorship_rank, member.customer_key) filter (where member.customer_level is not null))[1] as customer_level,
        count(distinct member.customer_key)::integer as customer_count,
        count(distinct member.controller_id)::integer as controller_count,
        min(member.life_from) as life_from,
        max(greatest(member.known_from, member.since_known_at)) as known_from
    from change_day
    inner join member
        on member.party_key = change_day.party_key
        and change_day.valid_from >= member.valid_from
        and change_day.valid_from < member.covers_to
    group by change_day.party_key, change_day.valid_from
),

hashed as (
    select
        *,
        {{ attribute_hash([
            'party_kind', 'party_name', 'id_type', 'id_number', 'id_valid_to', 'gender', 'birth_date', 'nationality', 'mobile', 'email',
            'address', 'region_code', 'occupation', 'industry_code', 'firm_size', 'registered_capital', 'legal_representative',
            'customer_level',
        ]) }} as attribute_hash
    from picture
),

turn as (
    select *, lag(attribute_hash) over (partition by party_key order by valid_from) as hash_before
    from hashed
),

version as (
    select *, lead(valid_from, 1, date '9999-12-31') over (partition by party_key order by valid_from) as valid_to
    from turn
    where hash_before is distinct from attribute_hash
)

select
    {{ version_key('party', "'c360'", 'party_id', 'valid_from') }} as party_version_key,
    party_key,
    'c360' as source_system,
    party_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    min(life_from) over (partition by party_key) as life_from,
    known_from,
    party_kind,
    party_name,
    id_type,
    id_number,
    id_valid_to,
    gender,
    birth_date,
    nationality,
    mobile,
    email,
    address,
    region_code,
    occupation,
    industry_code,
    firm_size,
    registered_capital,
    legal_representative,
    customer_level,
    customer_count,
    controller_count
from version
union all
select
    member.party_key, member.party_key, 'c360', member.party_id, true, date '0001-01-01', date '9999-12-31',
    date '9999-12-31', date '0001-01-01', timestamptz '0001-01-01 00:00:00+00',
    null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 0, 0
from (values (-1::bigint, 'unknown'), (-2::bigint, 'not applicable')) as member (party_key, party_id)
