-- What is known of files obeys the session's `c360.known_on`: a rebuild sees the batches received until then.
create or replace view ops.loaded_file as
select
    source_file.file_id,
    source_file.batch_id,
    source_file.source_system,
    source_file.table_name,
    source_file.business_date,
    source_file.sequence,
    batch.known_at,
    source_file.superseded_by,
    source_file.released_from
from ops.source_file
inner join ops.batch on source_file.batch_id = batch.batch_id
where
    batch.state = 'complete'
    and source_file.state in ('loaded', 'superseded')
    and batch.known_at <= ops.known_on();
