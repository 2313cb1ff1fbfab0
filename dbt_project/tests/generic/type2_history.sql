{# The laws of a type-2 dimension, each broken row with the law that it breaks: no zero-length version, no overlap, the first
   version starts at 0001-01-01, one version at most is current, a version key stands once, a durable key speaks of one
   natural key. `key`: durable key; `version_key`; `natural_key`: the source's key. #}
{% test type2_history(model, key, version_key, natural_key) %}
with version as (
    select
        {{ key }} as durable_key,
        {{ version_key }} as version_key,
        source_system,
        {{ natural_key }} as natural_key,
        valid_from,
        valid_to,
        covers_to,
        is_current,
        row_number() over (partition by {{ version_key }} order by valid_from) as version_key_no,
        row_number() over in_time as version_no,
        lead(valid_from) over in_time as next_from,
        count(*) filter (where is_current) over (partition by {{ key }}) as current_versions,
        min(source_system || chr(31) || {{ natural_key }}) over (partition by {{ key }})
            <> max(source_system || chr(31) || {{ natural_key }}) over (partition by {{ key }}) as is_collision
    from {{ model }}
    window in_time as (partition by {{ key }} order by valid_from)
)

select
    *,
    case
        when valid_from >= valid_to then 'zero length'
        when next_from < valid_to then 'overlap'
        when covers_to is distinct from coalesce(next_from, date '9999-12-31') then 'days not covered'
        when version_no = 1 and valid_from <> date '0001-01-01' then 'first version does not start at 0001-01-01'
        when current_versions > 1 then 'more than one current version'
        when is_current <> (valid_to = date '9999-12-31') then 'is_current is wrong'
        when version_key_no > 1 then 'version key used twice'
        when is_collision then 'one durable key for two natural keys'
    end as broken_law
from version
where valid_from >= valid_to
    or next_from < valid_to
    or covers_to is distinct from coalesce(next_from, date '9999-12-31')
    or (version_no = 1 and valid_from <> date '0001-01-01')
    or current_versions > 1
    or is_current <> (valid_to = date '9999-12-31')
    or version_key_no > 1
    or is_collision
{% endtest %}
