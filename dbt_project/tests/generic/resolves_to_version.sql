{# Every row of a fact has the durable key and the version key of the one version of the dimension that holds on its day
   (the last before it, where a life had ended). -1 and -2 are members of the dimension. #}
{% test resolves_to_version(model, dimension, entity, day, role=none) %}
{%- set name = role or entity %}
select fact.{{ name }}_key, fact.{{ name }}_version_key, fact.{{ day }}, version.valid_from, version.covers_to
from {{ model }} as fact
left join {{ dimension }} as version on version.{{ entity }}_version_key = fact.{{ name }}_version_key
where version.{{ entity }}_version_key is null
    or version.{{ entity }}_key <> fact.{{ name }}_key
    or fact.{{ day }} < version.valid_from
    or fact.{{ day }} >= version.covers_to
{% endtest %}
