{# A table of an enforced contract gets its primary key when its rows stand in it, like its indexes: sorting them once is
   cheaper than looking for the place of each. dbt puts it into CREATE TABLE; these two take its place. #}

{% macro postgres__get_table_columns_and_constraints() -%}
    {%- set checks = model['constraints'] | rejectattr('type', 'equalto', 'primary_key') | list -%}
    {%- set parts = adapter.render_raw_columns_constraints(raw_columns=model['columns'])
        + adapter.render_raw_model_constraints(raw_constraints=checks) -%}
    ({{ parts | join(', ') }})
{%- endmacro %}

{% macro postgres__create_indexes(relation) -%}
    {%- if config.get('contract').enforced -%}
        {%- for constraint in adapter.render_raw_model_constraints(
            raw_constraints=model['constraints'] | selectattr('type', 'equalto', 'primary_key') | list
        ) -%}
            {%- do run_query('alter table ' ~ relation ~ ' add ' ~ constraint) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ default__create_indexes(relation) }}
{%- endmacro %}
