-- Retention and erasure (DESIGN decision 9): what is deleted whole when its time is over, and what is overwritten on
-- behalf of a person; every run and what it took away is on record.

create table ops.erasure (
    erasure_id bigint generated always as identity primary key,
    source_system text not null,
    table_name text not null,
    key text not null,
    reason text not null check (reason ~ '\S'),
    not_before date,
    requested_at timestamptz not null default clock_timestamp(),
    requested_by text not null default session_user,
    held_until date,
    completed_at timestamptz,
    unique (source_system, table_name, key),
    check (held_until is null or completed_at is null)
);

comment on table ops.erasure is
'One request to erase a person or firm, as one source knows it. It never ends: what a source sends later of the same key lands overwritten';
comment on column ops.erasure.table_name is 'table of the source whose key names the person: customer, cardholder, consumer';
comment on column ops.erasure.not_before is
'first day on which anything may be erased, where a legal hold is known (an investigation, ten years after the relationship)';
comment on column ops.erasure.requested_by is 'database login of the one who requested';
comment on column ops.erasure.held_until is 'day on which the last rows leave the legal hold of their contract';
comment on column ops.erasure.completed_at is 'when nothing was left that had to be overwritten';

create table ops.erased_key (
    source_system text not null,
    table_name text not null,
    key text not null,
    erasure_id bigint not null references ops.erasure (erasure_id),
    primary key (source_system, table_name, key, erasure_id)
);

comment on table ops.erased_key is
'The tombstones: keys of erased persons, and of what is theirs (accounts, complaints), that loads, releases and replays ask';

create table ops.disposal_run (
    run_id bigint generated always as identity primary key,
    kind text not null check (kind in ('retention', 'erasure')),
    as_of date not null,
    begun_at timestamptz not null default clock_timestamp(),
    begun_by text not null default session_user,
    finished_at timestamptz
);

comment on table ops.disposal_run is 'One run of retention or erasure';
comment on column ops.disposal_run.as_of is 'day (Asia/Shanghai) by which periods were counted';
comment on column ops.disposal_run.finished_at is 'null where it was interrupted: the next run takes up what is left';

create table ops.disposal (
    run_id bigint not null references ops.disposal_run (run_id),
    file_id bigint not null references ops.source_file (file_id),
    place text not null check (place in ('landing', 'raw', 'quarantine')),
    rows bigint not null check (rows >= 0),
    bytes bigint check (bytes >= 0),
    primary key (run_id, file_id, place)
);

comment on table ops.disposal is 'What a run took away of one file in one place';
comment on column ops.disposal.rows is 'rows deleted (retention) or overwritten (erasure)';
comment on column ops.disposal.bytes is 'size of a file deleted from landing; 0 where it had gone before';

alter table ops.source_file
add column landing_deleted_at timestamptz,
add column rows_deleted_at timestamptz;

comment on column ops.source_file.landing_deleted_at is 'when the landed file was deleted at the end of its retention';
comment on column ops.source_file.rows_deleted_at is
'when its rows were deleted from raw and quarantine at the end of their retention; the account stays';
comment on column ops.source_file.rows_erased is 'loaded rows whose personal columns were overwritten, on landing or later';
