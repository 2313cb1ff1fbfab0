{# Change log of an entity (DESIGN decision 5): append-only, one row a key, effective date and file.

   The model's own SQL is `change_log_rows(entity)`: it only gives the log its columns. The materialization then takes up
   the batches that are complete and not yet in the log, in their order of receipt:
   1. changes (I/U/D) are appended as sent, the last of a file for each key and date;
   2. each full extract is compared with the state of its date: what differs is appended, a key that is missing gets a
      tombstone, and where a later date was observed before, the state of that date is asserted again; rows of it that
      were let out of quarantine later count with the rows that were loaded at first;
   3. keys that rows of these batches refer to and that have no row yet become inferred members.
   All of it, and the record of what was taken up, is one transaction. #}

{% macro change_log_columns(entity) -%}
    {{ return(
        [entity ~ '_key', 'source_system', 'controller_id', shape(entity).key, 'effective_date', 'is_deleted',
         'is_inferred', 'change_seq', 'attribute_hash'] + (shape(entity).columns.keys() | list)
        + ['batch_id', 'file_id', 'line', 'known_at']
    ) }}
{%- endmacro %}

{# Rows of feeds in the columns of the log, the last of each key, date and file. #}
{% macro change_log_rows(entity, where='true', kind='all', only=none) -%}
    {%- set key = shape(entity).key -%}
    {%- set attributes = shape(entity).columns.keys() | list -%}
    select distinct on (source_system, {{ key }}, effective_date, file_id)
        {{ durable_key(entity, 'source_system', key) }} as {{ entity }}_key,
        source_system,
        controller_id,
        {{ key }},
        effective_date,
        change_flag = 'D' as is_deleted,
        false as is_inferred,
        change_seq,
        {{ attribute_hash(attributes) }} as attribute_hash,
        {%- for column in attributes %}
        {{ column }},
        {%- endfor %}
        batch_id,
        file_id,
        line,
        known_at
    from ({{ union_feeds(entity, kind=kind, where=where, only=only) }}) as feed
    order by source_system, {{ key }}, effective_date, file_id, change_seq desc, line desc
{%- endmacro %}

{# Members that rows of pending files refer to and that the log did not know when they arrived. #}
{% macro inferred_rows(entity, relation) -%}
    {%- set key = shape(entity).key -%}
    {%- set references = var('references').get(entity, []) -%}
    {%- if references -%}
    with referred as (
        {%- for reference in references %}
        {%- set feed, column = reference.split('.') %}
        select distinct source_system, controller_id, {{ column }} as {{ key }}, batch_id, file_id, known_at
        from ({{ union_feeds(feed, where='file_id = any(' ~ pending_files() ~ ') and ' ~ column ~ ' is not null') }}) as feed
        {% if not loop.last %}union all{% endif %}
        {%- endfor %}
    ),

    first_referred as (
        select distinct on (source_system, {{ key }})
            *
        from referred
        order by source_system, {{ key }}, known_at, file_id
    )

    select
        {{ durable_key(entity, 'source_system', key) }} as {{ entity }}_key,
        source_system,
        controller_id,
        {{ key }},
        date '0001-01-01' as effective_date,
        false as is_deleted,
        true as is_inferred,
        0::bigint as change_seq,
        0::bigint as attribute_hash,
        {%- for column, type in shape(entity).columns.items() %}
        null::{{ type }} as {{ column }},
        {%- endfor %}
        batch_id,
        file_id,
        0::bigint as line,
        known_at
    from first_referred
    where not exists (
        select 1 from {{ relation }} as log
        where log.source_system = first_referred.source_system
            and log.{{ key }} = first_referred.{{ key }}
            and log.known_at <= first_referred.known_at
    )
    {%- endif -%}
{%- endmacro %}

{# What one full extract says that the log did not know. `extract`: source_system, table_name, file_id, business_date,
   known_at of the file; parts: ids of the files that make it up (with lots let out of quarantine). #}
{% macro full_extract_rows(entity, relation, feed, extract) -%}
    {%- set key = shape(entity).key -%}
    {%- set entity_key = entity ~ '_key' -%}
    {%- set attributes = shape(entity).columns.keys() | list -%}
    {%- set observed = "date '" ~ extract.business_date ~ "'" -%}
    with sent as (
        select distinct on ({{ entity_key }}) *
        from ({{ change_log_rows(entity, where="file_id = any('" ~ extract.parts ~ "')", only=feed) }}) as part
        order by {{ entity_key }}, known_at desc, file_id desc
    ),

    state as (
        select distinct on ({{ entity_key }}) *
        from {{ relation }}
        where source_system = '{{ extract.source_system }}' and not is_inferred and effective_date <= {{ observed }}
        order by {{ entity_key }}, effective_date desc, known_at desc, file_id desc, change_seq desc
    ),

    later_date as (
        select min(loaded.business_date) as observed_on
        from ops.loaded_file as loaded
        inner join ops.batch_taken_up as taken
            on taken.batch_id = loaded.batch_id and taken.consumer = '{{ consumer() }}'
        where loaded.source_system = '{{ extract.source_system }}' and loaded.table_name = '{{ extract.table_name }}'
            and loaded.business_date > {{ observed }}
            and (taken.taken_in <> '{{ invocation_id }}'
                or (loaded.known_at, loaded.file_id)
                    < (timestamptz '{{ extract.known_at }}', {{ extract.file_id }}))
    ),

    differing as (
        select
            {{ entity_key }},
            sent.{{ entity_key }} is null as is_missing,
            state.{{ entity_key }} is null as is_new
        from sent
        full join state using ({{ entity_key }})
        where (sent.{{ entity_key }} is null and not state.is_deleted)
            or (sent.{{ entity_key }} is not null
                and (state.{{ entity_key }} is null or state.is_deleted
                    or state.attribute_hash <> sent.attribute_hash))
    ),

    asserted_again as (
        select differing.*, later_date.observed_on
        from differing
        inner join later_date on later_date.observed_on is not null
        where not exists (
            select 1 from {{ relation }} as log
            where log.{{ entity_key }} = differing.{{ entity_key }} and not log.is_inferred
                and log.effective_date > {{ observed }} and log.effective_date <= later_date.observed_on
        )
    )
    {% set head -%}
        {{ entity_key }}, source_system, controller_id, {{ key }}
    {%- endset %}
    {% set tail -%}
        '{{ extract.batch_id }}' as batch_id, {{ extract.file_id }}::bigint as file_id,
        0::bigint as line, timestamptz '{{ extract.known_at }}' as known_at
    {%- endset %}
    select sent.*
    from sent
    inner join differing using ({{ entity_key }})
    union all
    select {{ head }}, {{ observed }}, true, false, 0::bigint, attribute_hash, {{ attributes | join(', ') }}, {{ tail }}
    from state
    inner join differing using ({{ entity_key }})
    where differing.is_missing
    union all
    select {{ head }}, asserted_again.observed_on, is_deleted, false, 0::bigint, attribute_hash, {{ attributes | join(', ') }}, {{ tail }}
    from state
    inner join asserted_again using ({{ entity_key }})
    union all
    select {{ head }}, asserted_again.observed_on, true, false, 0::bigint, attribute_hash, {{ attributes | join(', ') }}, {{ tail }}
    from sent
    inner join asserted_again using ({{ entity_key }})
    where asserted_again.is_new
{%- endmacro %}

{# The full extracts of the batches just claimed, in their order of receipt. #}
{% macro pending_full_extracts(entity) -%}
    {%- set extracts = [] -%}
    {%- for feed in feed_models(entity, 'full') -%}
        {%- set source, table = feed.full_extract.split('.') -%}
        {%- set files = run_query(
            "select file_id, batch_id, source_system, table_name, business_date::text, known_at::text, "
            ~ "(select array_agg(part.file_id)::text from ops.loaded_file as part where part.file_id = loaded.file_id "
            ~ "or part.file_id = loaded.released_from "
            ~ "or (part.released_from = loaded.released_from and part.known_at <= loaded.known_at)) "
            ~ "from ops.loaded_file as loaded "
            ~ "where source_system = '" ~ source ~ "' and table_name = '" ~ table ~ "' "
            ~ "and file_id = any(" ~ pending_files() ~ ") order by known_at, file_id"
        ) -%}
        {%- for file in files.rows -%}
            {%- do extracts.append((feed, {
                'file_id': file[0], 'batch_id': file[1], 'source_system': file[2],
                'table_name': file[3], 'business_date': file[4], 'known_at': file[5], 'parts': file[6]
            })) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(extracts) }}
{%- endmacro %}

{% macro change_log(entity) -%}
    {%- for feed in feed_models(entity) %}
    -- depends_on: {{ ref(feed_name(feed)) }}
    {%- endfor %}
    {%- for reference in var('references').get(entity, []) %}
    {%- for feed in feed_models(reference.split('.')[0]) %}
    -- depends_on: {{ ref(feed_name(feed)) }}
    {%- endfor %}
    {%- endfor %}
    {{ change_log_rows(entity) }}
{%- endmacro %}

{% materialization change_log, adapter='postgres' %}
    {%- set entity = config.require('entity') -%}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set columns = change_log_columns(entity) | join(', ') -%}
    {%- set is_new = load_cached_relation(this) is none -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- if is_new %}
        {%- call statement('create_log') %}
            create table {{ relation }} as select * from ({{ sql }}) as shape where false;
            alter table {{ relation }} add primary key ({{ entity }}_key, effective_date, file_id);
            create index on {{ relation }} (file_id);
            create index on {{ relation }} (source_system, {{ shape(entity).key }});
        {%- endcall %}
    {%- endif %}

    {%- call statement('take_up') %}{{ take_up() }}{% endcall %}

    {%- call statement('main') %}
        {%- if feed_models(entity, 'changes') %}
        insert into {{ relation }} ({{ columns }})
        {{ change_log_rows(entity, where='file_id = any(' ~ pending_files() ~ ')', kind='changes') }}
        {%- else %}
        select 'no feed sends changes'
        {%- endif %}
    {%- endcall %}

    {%- for feed, extract in pending_full_extracts(entity) %}
        {%- call statement('full_extract') %}
            insert into {{ relation }} ({{ columns }})
            {{ full_extract_rows(entity, relation, feed, extract) }}
        {%- endcall %}
    {%- endfor %}

    {%- set inferred = inferred_rows(entity, relation) %}
    {%- if inferred %}
        {%- call statement('inferred') %}
            insert into {{ relation }} ({{ columns }})
            {{ inferred }}
        {%- endcall %}
    {%- endif %}

    {%- set statistics = analyze_grown(relation) %}
    {%- if statistics %}
        {%- call statement('statistics') %}{{ statistics }}{% endcall %}
    {%- endif %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}
