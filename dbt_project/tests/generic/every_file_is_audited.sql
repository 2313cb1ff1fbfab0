{# Every file with rows of a batch that the model has taken up, of a table that feeds an entity, has its audit. #}
{% test every_file_is_audited(model) %}
select loaded.file_id, loaded.source_system, loaded.table_name
from ops.loaded_file as loaded
inner join ops.source_file as file on file.file_id = loaded.file_id
inner join ops.batch_taken_up as taken on taken.batch_id = loaded.batch_id and taken.consumer = '{{ consumer(model) }}'
where file.rows_loaded > 0
    and exists (
        select 1 from {{ model }} as same
        where same.source_system = loaded.source_system and same.table_name = loaded.table_name
    )
    and not exists (select 1 from {{ model }} as audit where audit.file_id = loaded.file_id)
{% endtest %}
