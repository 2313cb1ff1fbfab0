{# Type-2 history from a change log, in valid time and known time (DESIGN decisions 5 and 6), for the keys that the batches
   of this run touch.

   At each moment at which something about a key became known, the last word on each effective date makes a picture; equal
   neighbours in it are one version; a version that stands unchanged over several moments is one row with
   known_from … known_to. `known='now'` gives the rows that are still known, `known='ever'` all.

   valid_from … valid_to is half-open; the first version of a key starts at 0001-01-01 (life_from tells the true begin); a
   deletion ends the last version. covers_to is valid_to, except where a life ended: then it is the begin of the next one,
   so that facts dated after a deletion resolve to the last version before. An inferred member counts only as long as
   nothing else is known about the key. A key whose first known change is a deletion has one version that ends there. #}
{% macro type2_versions(entity, known='now') -%}
    {%- set log = ref('int_' ~ entity ~ '__changes') -%}
    {%- set key = entity ~ '_key' -%}
    {%- set source_key = shape(entity).key -%}
    with touched as (
        select distinct {{ key }} from {{ log }}
        {%- if is_incremental() %}
        where file_id = any({{ pending_files() }})
        {%- endif %}
    ),

    change as (
        select
            {{ key }} as durable_key,
            effective_date,
            is_deleted,
            is_inferred,
            attribute_hash,
            change_seq,
            file_id,
            known_at
        from {{ log }}
        {%- if is_incremental() %}
        where {{ key }} in (select {{ key }} from touched)
        {%- endif %}
    ),

    moment as (
        select
            durable_key,
            known_at as seen_from,
            lead(known_at, 1, 'infinity') over (partition by durable_key order by known_at) as seen_to,
            row_number() over (partition by durable_key order by known_at) as moment_no
        from (select distinct durable_key, known_at from change) as known
    ),

    last_word as (
        select distinct on (moment.durable_key, moment.seen_from, change.effective_date)
            moment.durable_key,
            moment.seen_from,
            moment.seen_to,
            moment.moment_no,
            change.effective_date,
            change.is_deleted,
            change.is_inferred,
            change.attribute_hash
        from moment
        inner join change on change.durable_key = moment.durable_key and change.known_at <= moment.seen_from
        order by
            moment.durable_key, moment.seen_from, change.effective_date,
            change.is_inferred, change.known_at desc, change.file_id desc, change.change_seq desc
    ),

    picture as (
        select *, lag(attribute_hash) over turn as hash_before, lag(is_deleted) over turn as deleted_before
        from (
            select *, bool_and(is_inferred) over (partition by durable_key, seen_from) as is_only_inferred
            from last_word
        ) as word
        where not is_inferred or is_only_inferred
        window turn as (partition by durable_key, seen_from order by effective_date)
    ),

    turn as (
        select
            *,
            deleted_before is null as is_first,
            lead(effective_date, 1, date '9999-12-31') over upward as next_date,
            count(*) filter (where deleted_before is null or (deleted_before and not is_deleted)) over upward as life_no
        from picture
        where deleted_before is null
            or is_deleted <> deleted_before
            or (not is_deleted and attribute_hash <> hash_before)
        window upward as (partition by durable_key, seen_from order by effective_date)
    ),

    version as (
        select
            durable_key,
            seen_from,
            seen_to,
            moment_no,
            attribute_hash,
            is_inferred,
            case when is_first then date '0001-01-01' else effective_date end as valid_from,
            case when is_deleted then effective_date else next_date end as valid_to,
            case
                when is_deleted or is_inferred then date '0001-01-01'
                else min(effective_date) filter (where not is_deleted) over (partition by durable_key, seen_from, life_no)
            end as life_from
        from turn
        where not is_deleted or is_first
    ),

    covering as (
        select
            *,
            lead(valid_from, 1, date '9999-12-31') over (partition by durable_key, seen_from order by valid_from) as covers_to
        from version
    ),

    island as (
        select
            *,
            moment_no - row_number() over (
                partition by durable_key, valid_from, valid_to, covers_to, life_from, attribute_hash, is_inferred
                order by moment_no
            ) as island_no
        from covering
    ),

    known_version as (
        select
            durable_key,
            valid_from,
            valid_to,
            covers_to,
            life_from,
            attribute_hash,
            is_inferred,
            min(seen_from) as known_from,
            max(seen_to) as known_to
        from island
        group by durable_key, valid_from, valid_to, covers_to, life_from, attribute_hash, is_inferred, island_no
        {%- if known == 'now' %}
        having max(seen_to) = 'infinity'
        {%- endif %}
    ),

    attribute as (
        select distinct on ({{ key }}, attribute_hash) *
        from {{ log }}
        {%- if is_incremental() %}
        where {{ key }} in (select {{ key }} from touched)
        {%- endif %}
        order by {{ key }}, attribute_hash
    )

    select
        {{ version_key(entity, 'attribute.source_system', 'attribute.' ~ source_key, 'known_version.valid_from') }} as {{ entity }}_version_key,
        known_version.durable_key as {{ entity }}_key,
        attribute.source_system,
        attribute.controller_id,
        attribute.{{ source_key }},
        known_version.valid_to = date '9999-12-31'{% if known == 'ever' %} and known_version.known_to = 'infinity'{% endif %} as is_current,
        known_version.valid_from,
        known_version.valid_to,
        known_version.covers_to,
        known_version.life_from,
        known_version.known_from,
        {%- if known == 'ever' %}
        known_version.known_to,
        {%- endif %}
        known_version.is_inferred,
        {%- for column in shape(entity).columns %}
        attribute.{{ column }},
        {%- endfor %}
        known_version.attribute_hash
    from known_version
    inner join attribute
        on attribute.{{ key }} = known_version.durable_key and attribute.attribute_hash = known_version.attribute_hash
    {%- if not is_incremental() %}
    {%- for member, name in [(-1, 'unknown'), (-2, 'not applicable')] %}
    union all
    select
        {{ member }}, {{ member }}, 'c360', 'c360', '{{ name }}', true, date '0001-01-01', date '9999-12-31', date '9999-12-31',
        date '0001-01-01', timestamptz '0001-01-01 00:00:00+00',{% if known == 'ever' %} 'infinity',{% endif %} false
        {%- for column, type in shape(entity).columns.items() %}, null::{{ type }}{% endfor %}, 0
    {%- endfor %}
    {%- endif %}
{%- endmacro %}
