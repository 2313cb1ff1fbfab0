{# What becomes of a party is told by batches (its customers change) and by events of identity (they come and go). These
   macros are to events what batches.sql is to batches. #}

{# As a pre-hook: claim in the model's own transaction the events that the model `after` has taken up, without one all, and
   this consumer has not. Notes the rules in force beside, as SQL that gives one text. #}
{% macro take_up_events(after=none, rules='null') -%}
    {%- if load_cached_relation(this) is none %}
    delete from ops.party_taken_up where consumer = '{{ consumer() }}';
    {%- endif %}
    insert into ops.party_taken_up (consumer, events_from, events_to, rules_now, taken_in)
    select
        '{{ consumer() }}',
        0,
        {%- if after %}
        coalesce((select events_to from ops.party_taken_up where consumer = '{{ consumer(ref(after)) }}'), 0),
        {%- else %}
        coalesce((select max(event_no) from {{ source('identity', 'event') }}), 0),
        {%- endif %}
        {{ rules }},
        '{{ invocation_id }}'
    on conflict (consumer) do update set
        events_from = party_taken_up.events_to,
        events_to = excluded.events_to,
        rules_before = party_taken_up.rules_now,
        rules_now = excluded.rules_now,
        taken_in = excluded.taken_in,
        taken_at = excluded.taken_at;
{%- endmacro %}

{# Keys of the parties that this run has to compute anew: a customer of theirs changed, entered or left, or the rules did. #}
{% macro touched_parties() -%}
    select placed.party_key
    from {{ ref('int_customer__changes') }} as log
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = log.customer_key
    where log.file_id = any({{ pending_files() }})
    union
    select {{ durable_key('party', "'c360'", 'moved.party_id') }}
    from ops.party_taken_up as taken
    inner join {{ source('identity', 'event') }} as event
        on event.event_no > taken.events_from and event.event_no <= taken.events_to and event.event_type <> 'conflict'
    cross join lateral (values (event.party_id), (event.other_party_id)) as moved (party_id)
    where taken.consumer = '{{ consumer() }}' and moved.party_id is not null
    union
    select placed.party_key
    from {{ ref('bridge_party_source') }} as placed
    inner join ops.party_taken_up as taken
        on taken.consumer = '{{ consumer() }}' and taken.rules_before is distinct from taken.rules_now
{%- endmacro %}

{# As a pre-hook, after both take_ups: what stands of these parties goes; those that are left by all customers stay away. #}
{% macro forget_touched_parties() -%}
    {%- if is_incremental() %}
    delete from {{ this }} where party_key in ({{ touched_parties() }})
    {%- else %}
    select 'nothing stands'
    {%- endif %}
{%- endmacro %}

{# Attributes of the golden record: name, expression over dim_customer, type in dim_party. #}
{% macro golden_attributes() -%}
    {{ return([
        ('party_kind', 'party_kind', 'text'),
        ('party_name', 'customer_name', 'text'),
        ('id_type', 'id_type', 'text'),
        ('id_number', 'id_number', 'text'),
        ('id_valid_to', 'id_valid_to', 'date'),
        ('gender', 'gender', 'text'),
        ('birth_date', 'birth_date', 'date'),
        ('nationality', 'nationality', 'text'),
        ('mobile', 'mobile', 'text'),
        ('email', 'email', 'text'),
        ('address', 'address', 'text'),
        ('region_code', 'region_code', 'text'),
        ('occupation', 'occupation', 'text'),
        ('industry_code', 'industry_code', 'text'),
        ('firm_size', 'firm_size', 'text'),
        ('registered_capital', 'registered_capital', 'numeric'),
        ('legal_representative', 'legal_representative', 'text'),
        ('customer_level', 'customer_level', 'integer'),
    ]) }}
{%- endmacro %}

{# The last business date that has arrived: rules that begin later are not in force yet. Never the clock. #}
{% macro last_business_date() -%}
    (select max(business_date) from {{ source('ops', 'loaded_file') }})
{%- endmacro %}

{# Hash of all rules of the golden record that have come into force, with whether they have ended, and of the rules by which identity checks numbers. #}
{% macro golden_rules() -%}
    (
        select md5(string_agg(rule_text, chr(10) order by rule_text collate "C"))
        from (
            {%- for seed in ['survivorship_rule', 'survivorship_attribute_source', 'doubt_rule'] %}
            select concat_ws(' ', '{{ seed }}', rule::text, rule.valid_to <= {{ last_business_date() }}) as rule_text
            from {{ ref(seed) }} as rule
            where rule.valid_from <= {{ last_business_date() }}
            union all
            {%- endfor %}
            select 'survivorship_source ' || rule::text from {{ ref('survivorship_source') }} as rule
            union all
            select 'identity ' || coalesce(max(rule_version), '') from {{ source('identity', 'standardised_customer') }}
        ) as rule
    )
{%- endmacro %}

{# Whether a value told by a customer breaks a rule of doubt; `told` has the attribute and the version of the customer. The
   attribute is asked first, in the CASE: only a birth date is one. #}
{% macro is_doubted() -%}
    case
        when rule.attribute_name <> told.attribute_name then false
        when rule.check_kind = 'pattern' then told.attribute_value ~ rule.parameter
        when rule.check_kind = 'not_pattern' then told.attribute_value !~ rule.parameter
        when rule.check_kind = 'identifier_state' then told.identifier_state = rule.parameter
        when rule.check_kind = 'not_birth_of_id' then told.attribute_value <> told.birth_of_id
        when rule.check_kind = 'not_sex_of_id' then told.attribute_value <> told.sex_of_id
        when rule.check_kind = 'older_than' then told.attribute_value::date < told.received_on - make_interval(years => rule.parameter::integer)
        when rule.check_kind = 'after_receipt' then told.attribute_value::date > told.received_on
    end
{%- endmacro %}

{# The values of an attribute in the order in which they survive. `by` names what they are told of; each row has
   `preference` (its weights, the lesser the better, in the order of its `criteria`), customer_key and attribute_value. Adds
   survivorship_position, chosen_by and is_conflict (see bridge_party_attribute). Chosen again among the values that a
   reader may know, so that nothing is told of the others. #}
{% macro survivors(relation, by) -%}
    {%- set partition = 'partition by ' ~ by | join(', ') -%}
    select
        *,
        case
            when tellers = 1 then 'only_value'
            when rival_position is null then 'agreed'
            else max(
                case
                    when survivorship_position <> rival_position then null
                    {%- for number in range(1, 5) %}
                    when preference[{{ number }}] <> best_preference[{{ number }}] then criteria[{{ number }}]
                    {%- endfor %}
                    else 'tie_break'
                end
            ) over ({{ partition }})
        end as chosen_by,
        case survivorship_position when 1 then rival_position is not null else compared_value <> surviving_value end as is_conflict
    from (
        select
            *,
            count(*) over tellers as tellers,
            min(survivorship_position) filter (where compared_value <> surviving_value) over tellers as rival_position
        from (
            select
                *,
                (row_number() over preferred_first)::integer as survivorship_position,
                first_value(preference) over preferred_first as best_preference,
                first_value(compared_value) over preferred_first as surviving_value
            from (
                select *, upper(regexp_replace(attribute_value, '\s', '', 'g')) as compared_value
                from {{ relation }}
            ) as told
            window preferred_first as ({{ partition }} order by preference, customer_key)
        ) as placed
        window tellers as ({{ partition }})
    ) as compared
{%- endmacro %}
