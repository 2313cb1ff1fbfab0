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

{# The masked form of a value of the golden record, by what it is (DESIGN decision 16). #}
{% macro masked_attribute(attribute_name, attribute_value, party_kind) -%}
    case
        when {{ attribute_name }} = 'party_name' then {{ masked_name(attribute_value, party_kind) }}
        when {{ attribute_name }} = 'legal_representative' then {{ masked_name(attribute_value, "'person'") }}
        when {{ attribute_name }} in ('id_number', 'mobile') then {{ masked_number(attribute_value) }}
        when {{ attribute_name }} = 'email' then left({{ attribute_value }}, 1) || '****' || coalesce(substring({{ attribute_value }}, '@.*$'), '')
        when {{ attribute_name }} = 'address' then left({{ attribute_value }}, 6) || '****'
        when {{ attribute_name }} = 'birth_date' then left({{ attribute_value }}, 4) || '-**-**'
        else {{ attribute_value }}
    end
{%- endmacro %}
