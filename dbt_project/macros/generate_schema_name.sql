{# Schemas have fixed names (staging, intermediate, core, mart_build); the target `rebuild` prefixes them. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {{- ('rebuild_' if target.name == 'rebuild' else '') ~ schema -}}
{%- endmacro %}
