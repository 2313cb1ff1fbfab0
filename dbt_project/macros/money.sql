{# Money in several currencies (docs/decisions/0024). #}

{# Join to the rate into the reporting currency that holds on a day: at most one row. #}
{% macro join_reporting_rate(alias, controller_id, currency, day) -%}
    left join {{ ref('fct_reporting_rate') }} as {{ alias }}
        on {{ alias }}.controller_id = {{ controller_id }}
        and {{ alias }}.currency = {{ currency }}
        and {{ day }} >= {{ alias }}.valid_from
        and {{ day }} < {{ alias }}.valid_to
{%- endmacro %}

{# An amount in the reporting currency: times the rate of one unit, rounded half away from zero to the decimals of the
   rule, row by row; sums are sums of rounded rows. NULL where there is no rate. #}
{% macro in_reporting_currency(amount, rate) -%}
    round({{ amount }} * {{ rate }}.unit_rate, {{ rate }}.decimals)::numeric(18, 2)
{%- endmacro %}
