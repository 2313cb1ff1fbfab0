{# Durable key: 63 positive bits of sha256 over source, entity and natural key, parted by U+001F (DESIGN decision 6).
   The canonical text is the source's own text of the key: no trimming, no change of case. Several parts of a natural key
   are joined by U+001F by the caller (see natural_key). A collision is resolved by a row in ops.key_override. #}
{% macro durable_key(entity, source_system, natural_key) -%}
    {%- set overrides = key_overrides(entity) -%}
    {%- if overrides -%}
    case
        {%- for row in overrides %}
        when {{ source_system }} = {{ dbt.string_literal(row[0]) }} and {{ natural_key }} = {{ dbt.string_literal(row[1]) }} then {{ row[2] }}::bigint
        {%- endfor %}
        else {{ hash_63(source_system ~ " || chr(31) || '" ~ entity ~ "' || chr(31) || " ~ natural_key) }}
    end
    {%- else -%}
    {{ hash_63(source_system ~ " || chr(31) || '" ~ entity ~ "' || chr(31) || " ~ natural_key) }}
    {%- endif -%}
{%- endmacro %}

{# Version key: the same over the durable key's text and the first day of the version. #}
{% macro version_key(entity, source_system, natural_key, valid_from) -%}
    {{ hash_63(source_system ~ " || chr(31) || '" ~ entity ~ "' || chr(31) || " ~ natural_key ~ " || chr(31) || to_char(" ~ valid_from ~ ", 'YYYY-MM-DD')") }}
{%- endmacro %}

{# The key of a member that a row refers to: -2 (not applicable) where the row refers to none. #}
{% macro member_key(entity, source_system, natural_key) -%}
    case when {{ natural_key }} is null then -2 else {{ durable_key(entity, source_system, natural_key) }} end
{%- endmacro %}

{% macro key_overrides(entity) -%}
    {%- if not execute -%}
        {{ return([]) }}
    {%- endif -%}
    {%- set rows = run_query(
        "select source_system, natural_key, durable_key from ops.key_override where entity = '" ~ entity
        ~ "' order by source_system collate \"C\", natural_key collate \"C\""
    ) -%}
    {{ return(rows.rows | list) }}
{%- endmacro %}

{# 63 positive bits of sha256 over a text in UTF-8. Dispatched: key (DESIGN decision 15). #}
{% macro hash_63(text) -%}
    {{ return(adapter.dispatch('hash_63', 'c360')(text)) }}
{%- endmacro %}

{% macro postgres__hash_63(text) -%}
    (('x' || left(encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex'), 16))::bit(64)::bigint & 9223372036854775807)
{%- endmacro %}

{# Hash of a row's attributes: 64 bits of sha256; NULL and empty text differ. Dispatched: hash. #}
{% macro attribute_hash(columns) -%}
    {{ return(adapter.dispatch('attribute_hash', 'c360')(columns)) }}
{%- endmacro %}

{% macro postgres__attribute_hash(columns) -%}
    ('x' || left(encode(sha256(convert_to(
        {%- for column in columns %}
        coalesce({{ column }}::text, chr(30)){% if not loop.last %} || chr(31) ||{% endif %}
        {%- endfor %}
    , 'UTF8')), 'hex'), 16))::bit(64)::bigint
{%- endmacro %}
