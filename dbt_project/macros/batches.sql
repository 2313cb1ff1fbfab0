{# Who has taken up what. A consumer is a model of one schema: '<schema>.<name>', or an edge '<schema>.<fact> <- <schema>.<dim>'.

   take_up, as a pre-hook, claims in the model's own transaction the batches that are complete (or that every model in
   `after` has taken up) and that this consumer has not taken yet. The model then reads the files of exactly these
   batches. A run that dies rolls both back; the next run takes up all since. #}

{% macro consumer(relation=none) -%}
    {%- set relation = relation or this -%}
    {{- relation.schema ~ '.' ~ relation.identifier -}}
{%- endmacro %}

{% macro take_up(after=[], name=none) -%}
    {%- set name = name or consumer() -%}
    {%- if load_cached_relation(this) is none %}
    delete from ops.batch_taken_up where consumer = '{{ name }}';
    {%- endif %}
    insert into ops.batch_taken_up (consumer, batch_id, known_at, taken_in)
    select '{{ name }}', complete.batch_id, complete.known_at, '{{ invocation_id }}'
    from (select batch_id, max(known_at) as known_at from ops.loaded_file group by batch_id) as complete
    where not exists (
        select 1 from ops.batch_taken_up as mine
        where mine.consumer = '{{ name }}' and mine.batch_id = complete.batch_id
    )
    {%- for model_name in after %}
      and exists (
        select 1 from ops.batch_taken_up as theirs
        where theirs.consumer = '{{ consumer(ref(model_name)) }}' and theirs.batch_id = complete.batch_id
    )
    {%- endfor %};
{%- endmacro %}

{# The files of the batches that this run claimed for this consumer: an array, so that a BRIN index can serve it. #}
{% macro pending_files(name=none) -%}
    array(
        select loaded.file_id from ops.loaded_file as loaded
        inner join ops.batch_taken_up as taken on taken.batch_id = loaded.batch_id
        where taken.consumer = '{{ name or consumer() }}' and taken.taken_in = '{{ invocation_id }}'
    )
{%- endmacro %}

{# Of these, the files of tables that sent several: only between them can a row correct another, since the contract holds
   keys unique in a file. #}
{% macro pending_files_of_several(name=none) -%}
    array(
        select file_id
        from (
            select loaded.file_id, count(*) over (partition by loaded.source_system, loaded.table_name) as files
            from ops.loaded_file as loaded
            where loaded.file_id = any({{ pending_files(name) }})
        ) as pending
        where files > 1
    )
{%- endmacro %}
