{# Shares of each group add up to exactly one. #}
{% test shares_sum_to_one(model, group_by, share='share', where='true') %}
select {{ group_by | join(', ') }}, sum({{ share }}) as shares
from {{ model }}
where {{ where }}
group by {{ group_by | join(', ') }}
having sum({{ share }}) <> 1
{% endtest %}
