{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=[
        "{{ take_up(after=['bridge_party_attribute']) }}",
        "{{ take_up_events(after='bridge_party_attribute', rules=golden_rules()) }}",
        "{{ forget_touched_parties() }}",
    ],
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['party_key']}]
) }}

-- depends_on: {{ ref('int_customer__changes') }}

-- What is known of a party, from all its customers: on each day on which one of them or a rule changes, the values that
-- survive in bridge_party_attribute. Only parties that were touched are computed.
with placed as (
    select *
    from {{ ref('bridge_party_source') }}
    {%- if is_incremental() %}
    where party_key in ({{ touched_parties() }})
    {%- endif %}
),

member as (
    select placed.party_key, placed.party_id, placed.since_known_at, customer.*
    from placed
    inner join {{ ref('dim_customer') }} as customer on customer.customer_key = placed.customer_key
),

surviving as (
    select attribute.*
    from {{ ref('bridge_party_attribute') }} as attribute
    where attribute.is_surviving and attribute.party_key in (select party_key from placed)
),

change_day as (
    select party_key, valid_from from member
    union
    select party_key, valid_from from surviving
),

golden as (
    select
        change_day.party_key,
        change_day.valid_from
        {%- for name, column, type in golden_attributes() %},
        (max(surviving.attribute_value) filter (where surviving.attribute_name = '{{ name }}'))::{{ type }} as {{ name }}
        {%- endfor %}
    from change_day
    left join surviving
        on surviving.party_key = change_day.party_key
        and change_day.valid_from >= surviving.valid_from
        and change_day.valid_from < surviving.valid_to
    group by change_day.party_key, change_day.valid_from
),

picture as (
    select
        change_day.party_key,
        change_day.valid_from,
        max(member.party_id) as party_id,
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
        picture.*,
        {%- for name, column, type in golden_attributes() %}
        golden.{{ name }},
        {%- endfor %}
        {{ attribute_hash(golden_attributes() | map(attribute=0) | list) }} as attribute_hash
    from picture
    inner join golden on golden.party_key = picture.party_key and golden.valid_from = picture.valid_from
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
{%- if not is_incremental() %}
union all
select
    member.party_key, member.party_key, 'c360', member.party_id, true, date '0001-01-01', date '9999-12-31',
    date '9999-12-31', date '0001-01-01', timestamptz '0001-01-01 00:00:00+00',
    null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 0, 0
from (values (-1::bigint, 'unknown'), (-2::bigint, 'not applicable')) as member (party_key, party_id)
{%- endif %}
