{# Rows of a fact's feed that this run takes up, append-only (DESIGN decision 5). `row_sign` 1 is a row as sent. The same
   grain in a later file is a correction: the earlier row is taken back by a row with `row_sign` -1 and negated measures,
   so that sums are right now and, with `known_at`, as known at any time. #}
{% macro fact_rows(entity) -%}
    {%- set shape = shape(entity) -%}
    select
        source_system,
        controller_id,
        {%- for column in shape.columns %}
        {{ column }},
        {%- endfor %}
        1::smallint as row_sign,
        file_id,
        line,
        business_date,
        known_at
    from (
        {{ union_feeds(entity, where='file_id = any(' ~ pending_files() ~ ')') }}
    ) as sent
    union all
    select
        source_system,
        controller_id,
        {%- for column in shape.columns %}
        {{ negated(entity, column, column) if column in shape.measures else column }},
        {%- endfor %}
        -1::smallint,
        corrected_by,
        corrected_line,
        corrected_date,
        corrected_at
    from (
        select
            feed.*,
            lead(file_id) over correction as corrected_by,
            lead(line) over correction as corrected_line,
            lead(business_date) over correction as corrected_date,
            lead(known_at) over correction as corrected_at
        from (
            {{ union_feeds(entity, where='file_id = any(' ~ pending_files_of_several() ~ ')') }}
        ) as feed
        window correction as (partition by source_system, {{ shape.grain | join(', ') }} order by known_at, file_id, line)
    ) as corrected
    where corrected_by is not null
{%- endmacro %}

{# A measure taken back. Negation forgets the precision that a contract holds the column to. #}
{% macro negated(entity, column, expression) -%}
    {%- if config.get('contract').enforced -%}
    (-{{ expression }})::{{ shape(entity).columns[column] }}
    {%- else -%}
    -{{ expression }}
    {%- endif -%}
{%- endmacro %}

{# The final select of a fact: the resolved rows of this run, and the rows of the fact that they correct, taken back. #}
{% macro with_taken_back(entity, resolved) -%}
    {%- if not is_incremental() -%}
    select * from {{ resolved }}
    {%- else -%}
    {%- set shape = shape(entity) -%}
    {%- set grain = shape.grain | join(', ') -%}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
    select
        {%- for column in columns %}
        {{ column }}{{ ',' if not loop.last else '' }}
        {%- endfor %}
    from {{ resolved }}
    union all
    select
        {%- for column in columns %}
        {%- if column in shape.measures %}
        {{ negated(entity, column, 'head.' ~ column) }}
        {%- elif column == 'row_sign' %}
        -1::smallint
        {%- elif column in ['file_id', 'line', 'business_date', 'known_at'] %}
        correction.{{ column }}
        {%- else %}
        head.{{ column }}
        {%- endif %}{{ ',' if not loop.last else '' }}
        {%- endfor %}
    from (
        select distinct on (source_system, {{ grain }}) source_system, {{ grain }}, file_id, line, business_date, known_at
        from {{ resolved }}
        order by source_system, {{ grain }}, known_at, file_id, line
    ) as correction
    inner join lateral (
        select *
        from {{ this }} as earlier
        where earlier.source_system = correction.source_system
            {%- for column in shape.grain %}
            and earlier.{{ column }} = correction.{{ column }}
            {%- endfor %}
        order by earlier.known_at desc, earlier.file_id desc, earlier.row_sign desc
        limit 1
    ) as head on true
    {%- endif -%}
{%- endmacro %}

{# Ranges of days out of days of change: `arrived` names the new rows, each with `valid_from`, one a `key` and day; each
   holds to the next one. Only the ranges of their keys from the first new day on are made anew; a day that arrives again
   takes the place of the one before. #}
{% macro ranges_with(arrived, key) -%}
    {%- if is_incremental() %}
    {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | reject('equalto', 'valid_to') | list %}
    {%- endif %}
    select
        *,
        lead(valid_from, 1, date '9999-12-31') over (partition by {{ key }} order by valid_from) as valid_to
    from (
        {%- if is_incremental() %}
        select {{ columns | join(', ') }} from {{ arrived }}
        union all
        select kept.{{ columns | join(', kept.') }}
        from {{ this }} as kept
        inner join (
            select {{ key }}, min(valid_from) as first_day from {{ arrived }} group by {{ key }}
        ) as touched on touched.{{ key }} = kept.{{ key }}
            -- The range of that day or of the last one before, by the primary key, and all after it.
            and kept.valid_from >= coalesce((
                select max(before.valid_from) from {{ this }} as before
                where before.{{ key }} = touched.{{ key }} and before.valid_from <= touched.first_day
            ), touched.first_day)
        where not exists (
            select 1 from {{ arrived }} as again
            where again.{{ key }} = kept.{{ key }} and again.valid_from = kept.valid_from
        )
        {%- else %}
        select * from {{ arrived }}
        {%- endif %}
    ) as day_of_key
{%- endmacro %}

{# Join to the version of a dimension that holds on a day. Dates after a deletion find the last version before it. #}
{% macro join_version(entity, alias, source_system, source_key, day) -%}
    left join {{ ref('dim_' ~ entity) }} as {{ alias }}
        on {{ alias }}.source_system = {{ source_system }}
        and {{ alias }}.{{ shape(entity).key }} = {{ source_key }}
        and {{ day }} >= {{ alias }}.valid_from
        and {{ day }} < {{ alias }}.covers_to
{%- endmacro %}

{# Durable and version key of a joined dimension: -2 where the row refers to none, -1 where the member is not known. #}
{% macro version_keys(entity, alias, source_key, name=none) -%}
    {%- set name = name or entity -%}
    coalesce({{ alias }}.{{ entity }}_key, case when {{ source_key }} is null then -2 else -1 end) as {{ name }}_key,
        coalesce({{ alias }}.{{ entity }}_version_key, case when {{ source_key }} is null then -2 else -1 end) as {{ name }}_version_key
{%- endmacro %}

{# Post-hook of a fact: rows whose version of a dimension has changed since (late and corrected masters) get the key of the
   version that now holds on their day. Only the ranges touched are looked at; the rows are counted in ops.fact_rekeyed. #}
{% macro rekey(entity, day, name=none) -%}
    {%- set name = name or entity -%}
    {%- set dimension = ref('dim_' ~ entity) -%}
    {%- set edge = consumer() ~ ' <- ' ~ consumer(dimension) ~ ('' if name == entity else ' as ' ~ name) -%}
    {{ take_up(after=['dim_' ~ entity], name=edge) }}
    with rekeyed as (
        update {{ this }} as fact
        set {{ name }}_version_key = version.{{ entity }}_version_key
        from {{ dimension }} as version
        where version.{{ entity }}_key = fact.{{ name }}_key
            and {{ day }} >= version.valid_from
            and {{ day }} < version.covers_to
            and fact.{{ name }}_version_key <> version.{{ entity }}_version_key
            and version.known_from >= (
                select min(known_at) from ops.batch_taken_up
                where consumer = '{{ edge }}' and taken_in = '{{ invocation_id }}'
            )
            and exists (
                select 1 from ops.batch_taken_up
                where consumer = '{{ edge }}' and taken_in <> '{{ invocation_id }}'
            )
        returning 1
    )
    insert into ops.fact_rekeyed (fact, dimension, taken_in, rows_rekeyed)
    select '{{ consumer() }}', '{{ consumer(dimension) }}', '{{ invocation_id }}', count(*)
    from rekeyed
    having count(*) > 0;
{%- endmacro %}
