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

-- So do the deadlines: what was awaited then is not overdue.
create or replace view ops.delivery as
with fed as (
    select source_system, min(opened_at) as fed_since, min(business_date) as first_business_date
    from ops.batch
    group by source_system
),

owed as (
    select
        term.source_system,
        term.table_name,
        day::date as business_date,
        ops.due_at(term.days, term.latency, term.available_at, day::date) as due_at,
        fed.fed_since
    from ops.delivery_term as term
    inner join fed on term.source_system = fed.source_system
    cross join generate_series(fed.first_business_date, (least(now(), ops.known_on()) at time zone 'Asia/Shanghai')::date, interval '1 day') as day
    where ops.is_delivery_day(term.days, day::date)
),

first_good_file as (
    select distinct on (source_system, table_name, business_date)
        source_system,
        table_name,
        business_date,
        file_id,
        received_at,
        due_at
    from ops.source_file
    where state in ('loaded', 'superseded') and release = 0 and received_at <= ops.known_on()
    order by source_system, table_name, business_date, sequence
),

delivery as (
    select
        owed.source_system,
        owed.table_name,
        owed.business_date,
        coalesce(file.due_at, owed.due_at) as due_at,
        file.received_at,
        file.file_id,
        owed.fed_since
    from owed
    left join first_good_file as file
        on
            file.source_system = owed.source_system
            and file.table_name = owed.table_name
            and file.business_date = owed.business_date
)

select
    source_system,
    table_name,
    business_date,
    due_at,
    received_at,
    file_id,
    case
        when due_at < fed_since then 'history'
        when received_at <= due_at then 'on_time'
        when received_at > due_at then 'late'
        when due_at < least(now(), ops.known_on()) then 'overdue'
        else 'awaited'
    end as state
from delivery
where due_at >= fed_since or file_id is not null;
