-- Rows leave quarantine by decision (DESIGN decision 2): released in spite of a rule, or replayed through the present
-- contract. What a decision lets out is loaded as a batch of its own: the ledger of the file stays as it was settled.

create table quarantine.decision (
    decision_id bigint generated always as identity primary key,
    file_id bigint not null references ops.source_file (file_id),
    action text not null check (action in ('release', 'replay')),
    lines bigint[] not null check (cardinality(lines) > 0),
    reason text not null check (reason ~ '\S'),
    decided_at timestamptz not null default clock_timestamp(),
    decided_by text not null default session_user,
    carried_out_at timestamptz,
    rows_loaded bigint,
    loaded_as bigint references ops.source_file (file_id),
    message text,
    check ((carried_out_at is null) = (rows_loaded is null)),
    check ((coalesce(rows_loaded, 0) > 0) = (loaded_as is not null))
);

comment on table quarantine.decision is
'Who let which quarantined rows of a file out, when and why, and what came of it: one row a decision and file';
comment on column quarantine.decision.action is
'release: load the rows as sent, in spite of the rules that they break; replay: put them through the present contract again';
comment on column quarantine.decision.lines is 'lines of the file that it speaks of';
comment on column quarantine.decision.decided_by is 'database login of the one who decided';
comment on column quarantine.decision.loaded_as is 'entry of the ledger under which the rows were loaded';
comment on column quarantine.decision.message is 'why rows stay in quarantine';

alter table quarantine.row
add column decision_id bigint references quarantine.decision (decision_id),
add constraint rows_leave_by_decision check ((state in ('released', 'replayed')) = (decision_id is not null));

comment on column quarantine.row.decision_id is 'decision that let the row out';

alter table ops.batch
add column release integer not null default 0 check (release >= 0),
drop constraint batch_source_system_business_date_sequence_key,
add unique (source_system, business_date, sequence, release);

comment on column ops.batch.release is '0: sent by the source; n: the n-th lot of rows let out of quarantine';
comment on column ops.batch.batch_id is 'source/business date/sequence, for rows out of quarantine followed by /q and the number of the lot';

alter table ops.source_file
add column release integer not null default 0 check (release >= 0),
add column released_from bigint references ops.source_file (file_id),
add constraint releases_come_from_a_file check ((release > 0) = (released_from is not null));

drop index ops.source_file_one_loaded;
create unique index source_file_one_loaded on ops.source_file (source_system, table_name, business_date, sequence, release)
where state in ('loaded', 'superseded');

comment on column ops.source_file.release is '0: sent by the source; n: the n-th lot of rows let out of quarantine';
comment on column ops.source_file.released_from is
'file in whose quarantine the rows lay: name and lines are those of that file, whose own account stays as it was settled';

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
    and source_file.state in ('loaded', 'superseded');
