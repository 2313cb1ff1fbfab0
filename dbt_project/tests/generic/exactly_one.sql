{# Of each group exactly one row meets the condition. #}
{% test exactly_one(model, group_by, condition) %}
select {{ group_by | join(', ') }}, count(*) filter (where {{ condition }}) as rows_that_meet_it
from {{ model }}
group by {{ group_by | join(', ') }}
having count(*) filter (where {{ condition }}) <> 1
{% endtest %}
