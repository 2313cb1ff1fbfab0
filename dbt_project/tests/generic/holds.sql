{# Every row meets the condition; NULL counts as met. #}
{% test holds(model, condition) %}
select * from {{ model }}
where not ({{ condition }})
{% endtest %}
