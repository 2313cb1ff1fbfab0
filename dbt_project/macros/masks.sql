{# Masked forms that marts store beside the clear ones, or alone (DESIGN decision 16). #}

{# A person keeps the family name's first character (张**), a firm the first four (杭州城乡****). #}
{% macro masked_name(name, party_kind) -%}
    case
        when {{ name }} is null then null
        when {{ party_kind }} = 'firm' then left({{ name }}, 4) || '****'
        else left({{ name }}, 1) || repeat('*', greatest(least(length({{ name }}) - 1, 4), 1))
    end
{%- endmacro %}

{# A number keeps its last four characters. #}
{% macro masked_number(number) -%}
    '****' || right({{ number }}, 4)
{%- endmacro %}
