{# The feeds of an entity, in its canonical shape (vars `shapes` and `feeds` in dbt_project.yml, explained in
   models/staging/README.md). Adding a source is a staging model and one line there. #}

{% macro feed_models(entity, kind='all') -%}
    {%- set models = [] -%}
    {%- for feed in var('feeds').get(entity, []) -%}
        {%- set is_full = feed is mapping -%}
        {%- if kind == 'all' or (kind == 'full') == is_full -%}
            {%- do models.append(feed) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(models) }}
{%- endmacro %}

{% macro feed_name(feed) -%}
    {{ return(feed.model if feed is mapping else feed) }}
{%- endmacro %}

{% macro shape(entity) -%}
    {{ return(var('shapes')[entity]) }}
{%- endmacro %}

{# All rows of an entity's feeds; `where` limits each of them before the union. #}
{% macro union_feeds(entity, kind='all', where=none, only=none) -%}
    {%- set shape = shape(entity) -%}
    {%- set feeds = [only] if only else feed_models(entity, kind) -%}
    {%- for feed in feeds %}
    select
        source_system,
        controller_id,
        {%- if shape.key is defined %}
        {{ shape.key }}::text as {{ shape.key }},
        change_flag,
        change_seq::bigint as change_seq,
        effective_date,
        {%- endif %}
        {%- for column, type in shape.columns.items() %}
        {{ column }}::{{ type }} as {{ column }},
        {%- endfor %}
        batch_id,
        file_id,
        line,
        business_date,
        known_at
    from {{ ref(feed_name(feed)) }}
    {%- if where %}
    where {{ where }}
    {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        null::text as source_system,
        null::text as controller_id,
        {%- if shape.key is defined %}
        null::text as {{ shape.key }},
        null::text as change_flag,
        null::bigint as change_seq,
        null::date as effective_date,
        {%- endif %}
        {%- for column, type in shape.columns.items() %}
        null::{{ type }} as {{ column }},
        {%- endfor %}
        null::text as batch_id,
        null::bigint as file_id,
        null::bigint as line,
        null::date as business_date,
        null::timestamptz as known_at
    where false
    {%- endfor %}
{%- endmacro %}

{# The columns of lineage that every staging model ends with: the raw row `raw`, the loaded file `loaded`. #}
{% macro lineage(raw='source_row', loaded='loaded') -%}
    {{ loaded }}.batch_id,
        {{ raw }}._file_id as file_id,
        {{ raw }}._line as line,
        {{ loaded }}.business_date,
        {{ loaded }}.known_at
{%- endmacro %}

{# Data controller of a source (DESIGN decision 8), as a literal. #}
{% macro controller_of(source_system) -%}
    '{{ var("controllers")[source_system] }}'
{%- endmacro %}
