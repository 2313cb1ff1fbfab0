{# Half-open day ranges of one owner neither overlap nor are empty. #}
{% test no_overlap(model, owner) %}
select *
from (
    select
        {{ owner | join(', ') }}, valid_from, valid_to,
        lead(valid_from) over (partition by {{ owner | join(', ') }} order by valid_from) as next_from
    from {{ model }}
) as stretch
where valid_from >= valid_to or next_from < valid_to
{% endtest %}
