{# Name and unit of the owner of a plan, as they are on a day. #}
{% macro join_owner(owned, day) -%}
    left join {{ ref('dim_employee') }} as manager
        on {{ owned }}.owner_kind = 'employee'
        and manager.employee_key = {{ owned }}.owner_key
        and {{ day }} >= manager.valid_from
        and {{ day }} < manager.covers_to
    left join {{ ref('dim_organisation') }} as unit
        on {{ owned }}.owner_kind = 'organisation'
        and unit.organisation_key = {{ owned }}.owner_key
        and {{ day }} >= unit.valid_from
        and {{ day }} < unit.covers_to
{%- endmacro %}

{# Says whether a value, rounded or cut to the decimals printed, is the one printed. #}
{% macro printed_as(value) -%}
    compared.printed_value in (round({{ value }}, compared.decimals), trunc({{ value }}, compared.decimals))
{%- endmacro %}
