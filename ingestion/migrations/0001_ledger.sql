-- The ledger: what was sent, when it was received, and what became of every row (DESIGN decisions 2 to 4).

create schema if not exists ops;
create schema if not exists quarantine;

create table ops.batch (
    batch_id text primary key,
    source_system text not null,
    business_date date not null,
    sequence integer not null check (sequence >= 1),
    state text not null check (state in ('open', 'complete', 'refused')),
    known_at timestamptz,
    missing_files text[] not null default '{}',
    message text,
    opened_at timestamptz not null default now(),
    completed_at timestamptz,
    unique (source_system, business_date, sequence),
    check ((state = 'complete') = (known_at is not null)),
    check ((state = 'complete') = (completed_at is not null))
);

comment on table ops.batch is
'One business date of one source; sequence 1 is the delivery, later ones are declared corrections. Nothing downstream reads a batch that is not complete.';
comment on column ops.batch.batch_id is 'source/business date/sequence';
comment on column ops.batch.known_at is 'latest time of receipt of the files and control files of the batch, never the time of loading';
comment on column ops.batch.missing_files is 'contracted files that are not there yet';

create table ops.source_file (
    file_id bigint primary key check (file_id >= 0),
    batch_id text not null references ops.batch (batch_id),
    source_system text not null,
    table_name text,
    business_date date not null,
    sequence integer not null check (sequence >= 1),
    file_name text not null,
    bytes bigint not null check (bytes >= 0),
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    received_at timestamptz not null,
    state text not null check (state in ('received', 'loaded', 'refused', 'duplicate', 'superseded', 'replaced', 'unknown')),
    rule text,
    line bigint,
    message text,
    rows_sent bigint,
    rows_loaded bigint,
    rows_quarantined bigint,
    rows_erased bigint,
    rows_warned bigint,
    amount_sent numeric,
    amount_loaded numeric,
    amount_quarantined numeric,
    amount_erased numeric,
    counted_by text,
    contract_version text,
    superseded_by bigint references ops.source_file (file_id),
    loaded_at timestamptz,
    constraint loaded_files_have_a_table check (table_name is not null or state in ('unknown', 'duplicate')),
    constraint sent_rows_are_accounted_for check (
        state not in ('loaded', 'superseded')
        or coalesce(rows_sent = rows_loaded + rows_quarantined + rows_erased, false)
    ),
    constraint sent_amounts_are_accounted_for check (
        state not in ('loaded', 'superseded')
        or amount_sent is null
        or coalesce(amount_sent = amount_loaded + amount_quarantined + amount_erased, false)
    )
);

create unique index source_file_one_loaded on ops.source_file (source_system, table_name, business_date, sequence)
where state in ('loaded', 'superseded');
create index source_file_batch on ops.source_file (batch_id);
create index source_file_content on ops.source_file (source_system, table_name, sha256);

comment on table ops.source_file is
'Every file that was ever seen in landing: sent = loaded + quarantined + erased, in rows and amounts, is a constraint.';
comment on column ops.source_file.file_id is '63 bits of sha256 over source, table, business date, sequence and content; equal in every database';
comment on column ops.source_file.sequence is '1 is the delivery, n + 1 the declared correction _rn';
comment on column ops.source_file.received_at is 'time of receipt of the file or of its control file, whichever came later';
comment on column ops.source_file.state is
'received: registered only; loaded; refused: nothing of it is loaded; duplicate: its content was loaded under another name or date; superseded: loaded and since corrected; replaced: refused and sent anew; unknown: fits no contract';
comment on column ops.source_file.counted_by is 'control file, trailer, or the second count where the sender sends none';
comment on column ops.source_file.amount_quarantined is
'amount of the quarantined rows; where one of them cannot be read, the difference to the control total';
comment on column ops.source_file.rows_warned is 'loaded rows that break a rule of severity flag, quarantine.warning';

create table ops.drift (
    file_id bigint not null references ops.source_file (file_id),
    kind text not null check (kind in ('new_column', 'lost_column')),
    column_name text not null,
    policy text not null,
    primary key (file_id, kind, column_name)
);

comment on table ops.drift is 'Columns of loaded files that differ from the contract; the values of new columns stay in the landed file';

create table quarantine.row (
    file_id bigint not null references ops.source_file (file_id),
    line bigint not null,
    source_system text not null,
    table_name text not null,
    rule text not null,
    column_name text,
    message text not null,
    raw_text text not null,
    amount numeric,
    state text not null default 'held' check (state in ('held', 'released', 'replayed', 'erased')),
    primary key (file_id, line)
);

comment on table quarantine.row is 'Every row that was kept out, to be released or replayed';
comment on column quarantine.row.line is 'line of the file, from 1; row in a Parquet file';
comment on column quarantine.row.rule is 'first rule that the row breaks; the message names all';
comment on column quarantine.row.raw_text is 'the row as sent, cut after the set number of characters; the landed file has it whole';

create table quarantine.warning (
    file_id bigint not null references ops.source_file (file_id),
    line bigint not null,
    rule text not null,
    column_name text not null,
    primary key (file_id, line, rule, column_name)
);

comment on table quarantine.warning is 'Loaded rows that break a rule of severity flag';

create view ops.loaded_file as
select
    source_file.file_id,
    source_file.batch_id,
    source_file.source_system,
    source_file.table_name,
    source_file.business_date,
    source_file.sequence,
    batch.known_at,
    source_file.superseded_by
from ops.source_file
inner join ops.batch on source_file.batch_id = batch.batch_id
where
    batch.state = 'complete'
    and source_file.state in ('loaded', 'superseded');

comment on view ops.loaded_file is
'Files of complete batches, the one thing that staging joins to; a superseded file stays, since it was known';
