-- When each table is owed (交付时点), by its contract and the bank calendar: late and missing files are seen by deadline.

create table ops.delivery_term (
    source_system text not null,
    table_name text not null,
    days text not null check (days in ('every_day', 'working_days', 'ten_day_period_ends', 'month_ends')),
    latency integer not null check (latency >= 0),
    available_at time not null,
    contract_version text not null,
    primary key (source_system, table_name)
);

comment on table ops.delivery_term is
'What the present contracts say of when a table is owed; one row a table that is not optional and has a time of availability';
comment on column ops.delivery_term.days is 'business dates for which there is a file';
comment on column ops.delivery_term.latency is
'days from the business date to the deadline: calendar days of a table of every day, else working days of the bank';
comment on column ops.delivery_term.available_at is 'time of the deadline in Asia/Shanghai';

create function ops.is_delivery_day(days text, day date) returns boolean
language sql stable
return case days
    when 'every_day' then true
    when 'working_days' then coalesce(
        (select calendar.is_working_day from ops.bank_calendar as calendar where calendar.calendar_date = day), false
    )
    when 'ten_day_period_ends' then
        extract(day from day) in (10, 20) or extract(day from day + 1) = 1
    when 'month_ends' then extract(day from day + 1) = 1
end;

comment on function ops.is_delivery_day is 'Whether a table that comes on such days has a file for the business date';

create function ops.due_at(days text, latency integer, available_at time, business_date date) returns timestamptz
language sql stable
return (
    case
        when days = 'every_day' or latency = 0 then business_date + latency
        else (
            select calendar.calendar_date
            from ops.bank_calendar as calendar
            where calendar.calendar_date > business_date and calendar.is_working_day
            order by calendar.calendar_date
            offset latency - 1
            limit 1
        )
    end + available_at
) at time zone 'Asia/Shanghai';

comment on function ops.due_at is 'The deadline of the file of a business date; NULL beyond the end of the bank calendar';

alter table ops.source_file add column due_at timestamptz;

comment on column ops.source_file.due_at is 'deadline by the contract in force at receipt; NULL where it knew none';

create view ops.delivery as
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
    cross join generate_series(fed.first_business_date, (now() at time zone 'Asia/Shanghai')::date, interval '1 day') as day
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
    where state in ('loaded', 'superseded') and release = 0
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
        when due_at < now() then 'overdue'
        else 'awaited'
    end as state
from delivery
where due_at >= fed_since or file_id is not null;

comment on view ops.delivery is
'One row a table and business date that the sender owes, from the first business date of the source to today';
comment on column ops.delivery.received_at is 'time of receipt of the first file of the date that could be loaded';
comment on column ops.delivery.state is
'on_time; late; awaited: its deadline is to come; overdue: its deadline has passed; history: the deadline had passed when the source was first seen here';
