{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=[
        "{{ take_up(after=['dim_customer']) }}",
        "{{ take_up_events(after='bridge_party_source', rules=golden_rules()) }}",
        "{{ forget_touched_parties() }}",
    ],
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['party_key']}]
) }}

-- depends_on: {{ ref('int_customer__changes') }}

-- The golden record with all that it was chosen from. On each day on which a value or a rule changes, the values that the
-- customers of a party tell of an attribute are put in the order of the criteria of survivorship_rule; what still ties, by
-- customer_key. The first survives; the others stay beside it. Only parties that were touched are computed.
with placed as (
    select *
    from {{ ref('bridge_party_source') }}
    {%- if is_incremental() %}
    where party_key in ({{ touched_parties() }})
    {%- endif %}
),

member as (
    select
        placed.party_key,
        placed.party_id,
        customer.*,
        (customer.known_from at time zone 'Asia/Shanghai')::date as received_on,
        checked.identifier_state,
        case
            when customer.id_type not in ('resident_id', 'household_register') then null
            when customer.id_number ~ '^\d{17}[0-9Xx]$' then customer.id_number
            when customer.id_number ~ '^\d{15}$' then left(customer.id_number, 6) || '19' || right(customer.id_number, 9) || '?'
        end as resident_id
    from placed
    inner join {{ ref('dim_customer') }} as customer on customer.customer_key = placed.customer_key
    left join {{ source('identity', 'number_check_known') }} as checked
        on checked.source_system = customer.source_system
        and checked.customer_id = customer.customer_id
        and checked.number_hash = md5(concat_ws(' ', customer.id_type, customer.id_number))
),

told as (
    select
        member.party_key,
        member.party_id,
        member.customer_key,
        member.source_system,
        member.customer_id,
        member.controller_id,
        member.valid_from,
        member.covers_to,
        member.life_from,
        member.known_from,
        member.received_on,
        member.identifier_state,
        substring(member.resident_id, 7, 4) || '-' || substring(member.resident_id, 11, 2) || '-'
        || substring(member.resident_id, 13, 2) as birth_of_id,
        case when substring(member.resident_id, 17, 1)::integer % 2 = 1 then 'M' else 'F' end as sex_of_id,
        attribute.attribute_name,
        attribute.attribute_value
    from member
    cross join lateral (
        values
        {%- for name, column, type in golden_attributes() %}
        ('{{ name }}', {{ "nullif(btrim(member." ~ column ~ "), '')" if type == 'text' else "member." ~ column ~ "::text" }})
        {{- ',' if not loop.last }}
        {%- endfor %}
    ) as attribute (attribute_name, attribute_value)
),

judged as (
    select told.*, doubt.doubt_codes
    from told
    left join lateral (
        select string_agg(rule.reason_code, ' ' order by rule.reason_code collate "C") as doubt_codes
        from {{ ref('doubt_rule') }} as rule
        where rule.attribute_name = told.attribute_name
            and told.received_on >= rule.valid_from
            and told.received_on < rule.valid_to
            and {{ is_doubted() }}
    ) as doubt on told.attribute_value is not null
),

turn as (
    select
        *,
        (
            attribute_value is distinct from lag(attribute_value) over version
            or doubt_codes is distinct from lag(doubt_codes) over version
            or lag(valid_from) over version is null
        ) as is_turn
    from judged
    window version as (partition by customer_key, attribute_name order by valid_from)
),

numbered as (
    select *, count(*) filter (where is_turn) over (partition by customer_key, attribute_name order by valid_from) as run_no
    from turn
),

run as (
    select
        party_key,
        party_id,
        customer_key,
        source_system,
        customer_id,
        controller_id,
        attribute_name,
        attribute_value,
        doubt_codes,
        min(valid_from) as valid_from,
        max(covers_to) as valid_to,
        min(greatest(valid_from, life_from)) as told_from,
        (array_agg(known_from order by valid_from))[1] as loaded_at
    from numbered
    group by
        party_key, party_id, customer_key, source_system, customer_id, controller_id, attribute_name, attribute_value,
        doubt_codes, run_no
),

rule_day as (
    select attribute_name, valid_from from {{ ref('survivorship_rule') }}
    union
    select attribute_name, valid_to from {{ ref('survivorship_rule') }}
    union
    select attribute_name, valid_from from {{ ref('survivorship_attribute_source') }}
    union
    select attribute_name, valid_to from {{ ref('survivorship_attribute_source') }}
),

change_day as (
    select party_key, attribute_name, valid_from from run
    union
    select run.party_key, run.attribute_name, rule_day.valid_from
    from run
    inner join rule_day
        on rule_day.attribute_name = run.attribute_name
        and rule_day.valid_from > run.valid_from
        and rule_day.valid_from < run.valid_to
        and rule_day.valid_from <= {{ last_business_date() }}
),

stretch as (
    select
        *,
        lead(valid_from, 1, date '9999-12-31') over (partition by party_key, attribute_name order by valid_from) as valid_to
    from change_day
),

weighed as (
    select
        stretch.valid_from as stretch_from,
        stretch.valid_to as stretch_to,
        run.*,
        array[rule.first_criterion, rule.second_criterion, rule.third_criterion, rule.fourth_criterion] as criteria,
        (run.doubt_codes is not null)::integer as validity,
        coalesce(preferred.survivorship_rank, source_rank.survivorship_rank, 99) as source_priority,
        date '9999-12-31' - run.told_from as recency,
        -length(run.attribute_value) as completeness
    from stretch
    inner join run
        on run.party_key = stretch.party_key
        and run.attribute_name = stretch.attribute_name
        and stretch.valid_from >= run.valid_from
        and stretch.valid_from < run.valid_to
        and run.attribute_value is not null
    left join {{ ref('survivorship_rule') }} as rule
        on rule.attribute_name = stretch.attribute_name
        and stretch.valid_from >= rule.valid_from
        and stretch.valid_from < rule.valid_to
    left join {{ ref('survivorship_source') }} as source_rank on source_rank.source_system = run.source_system
    left join {{ ref('survivorship_attribute_source') }} as preferred
        on preferred.attribute_name = stretch.attribute_name
        and preferred.source_system = run.source_system
        and stretch.valid_from >= preferred.valid_from
        and stretch.valid_from < preferred.valid_to
),

preferred as (
    select
        *,
        array[
            {%- for number in range(1, 5) %}
            case criteria[{{ number }}]
                {%- for criterion in ['validity', 'source_priority', 'recency', 'completeness'] %}
                when '{{ criterion }}' then {{ criterion }}
                {%- endfor %}
            end{{ ',' if not loop.last }}
            {%- endfor %}
        ] as preference
    from weighed
),

decided as (
    {{ survivors('preferred', by=['party_key', 'attribute_name', 'stretch_from']) }}
),

turned as (
    select
        *,
        (
            lag(stretch_to) over neighbour is distinct from stretch_from
            or preference is distinct from lag(preference) over neighbour
            or survivorship_position is distinct from lag(survivorship_position) over neighbour
            or chosen_by is distinct from lag(chosen_by) over neighbour
            or is_conflict is distinct from lag(is_conflict) over neighbour
            or valid_from is distinct from lag(valid_from) over neighbour
        ) as is_turn
    from decided
    window neighbour as (partition by customer_key, attribute_name order by stretch_from)
),

island as (
    select *, count(*) filter (where is_turn) over (partition by customer_key, attribute_name order by stretch_from) as island_no
    from turned
)

select
    party_key,
    party_id,
    attribute_name,
    customer_key,
    source_system,
    customer_id,
    controller_id,
    min(stretch_from) as valid_from,
    max(stretch_to) as valid_to,
    max(stretch_to) = date '9999-12-31' as is_current,
    attribute_value,
    criteria,
    preference,
    survivorship_position,
    survivorship_position = 1 as is_surviving,
    chosen_by,
    is_conflict,
    doubt_codes,
    told_from,
    loaded_at
from island
group by
    party_key, party_id, attribute_name, customer_key, source_system, customer_id, controller_id, attribute_value, criteria,
    preference, survivorship_position, chosen_by, is_conflict, doubt_codes, told_from, loaded_at, island_no
