{# Every key of the column is a durable key of the dimension (-1 and -2 among them), and none is NULL. #}
{% test member_of(model, column_name, dimension, key) %}
select fact.{{ column_name }}
from {{ model }} as fact
where not exists (select 1 from {{ dimension }} as member where member.{{ key }} = fact.{{ column_name }})
{% endtest %}
