{# Schemas have fixed names (staging, intermediate, core, mart_build); every target but `dev` has schemas of its own, named
   after it: rebuild_core, change_mart_build. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set schema = (custom_schema_name or target.schema) | trim -%}
    {{- ('' if target.name == 'dev' else target.name ~ '_') ~ schema -}}
{%- endmacro %}
