{# True where a row that names the member lies in quarantine, in a file of `first_day` or later: what does not add up from
   that day on may be it. `member`: the source's own number, as it stands in the text of the row. #}
{% macro explained_by_quarantine(source_system, table_name, member, first_day) -%}
    exists (
        select 1
        from {{ source('quarantine', 'row') }} as held
        inner join {{ source('ops', 'source_file') }} as held_file on held_file.file_id = held.file_id
        where held.state = 'held'
            and held.source_system = {{ source_system }}
            and held.table_name = '{{ table_name }}'
            and held_file.business_date >= {{ first_day }}
            and position({{ member }} in held.raw_text) > 0
    )
{%- endmacro %}
