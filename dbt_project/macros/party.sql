{# A parameter of segments and alarms (seed party_parameter) as it stands on a day. #}
{% macro party_parameter(parameter_id, day) -%}
    (
        select parameter.parameter_value
        from {{ ref('party_parameter') }} as parameter
        where parameter.parameter_id = '{{ parameter_id }}'
            and {{ day }} >= parameter.valid_from
            and {{ day }} < parameter.valid_to
    )
{%- endmacro %}

{# Rows of a fact that stand: of each grain the row sent last (facts are append-only, what was corrected stays in them). #}
{% macro standing_rows(fact, grain) -%}
    select distinct on (source_system, {{ grain | join(', ') }}) *
    from {{ ref(fact) }}
    order by source_system, {{ grain | join(', ') }}, known_at desc, file_id desc, row_sign desc
{%- endmacro %}
