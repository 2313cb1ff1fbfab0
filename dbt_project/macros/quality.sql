{# The check of the seed quality_check that a broken rule of a contract counts against: what is neither a missing value, nor
   a repeated key, nor a wrong value of one column is a rule between columns, or a check digit. #}
{% macro check_of_rule(rule) -%}
    case
        when {{ rule }} = 'required' then 'required_values'
        when {{ rule }} = 'duplicate_key' then 'keys_unique'
        when {{ rule }} in ('type', 'codes', 'minimum', 'maximum', 'min_length', 'max_length', 'pattern') then 'values_valid'
        else 'rows_consistent'
    end
{%- endmacro %}
