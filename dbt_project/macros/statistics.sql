{# Post-hook of a table that grows: ANALYZE where it has none yet, or has grown by a tenth since. It reads a sample of the
   whole table, which costs more than a day's rows; between, PostgreSQL analyzes by itself what was changed in place. #}
{% macro analyze_grown(relation=none) -%}
    {%- set relation = relation or this -%}
    {%- if execute -%}
        {%- set is_due = run_query(
            "select pg_relation_size(oid) > 1.1 * relpages * current_setting('block_size')::int or not exists "
            ~ "(select 1 from pg_stats where schemaname = '" ~ relation.schema ~ "' and tablename = '" ~ relation.identifier ~ "') "
            ~ "from pg_class where oid = '" ~ relation ~ "'::regclass"
        ).rows[0][0] -%}
        {%- if is_due -%}analyze {{ relation }}{%- endif -%}
    {%- endif -%}
{%- endmacro %}
