-- Submissions to regulators: one row a package, numbered within profile and period (checklist D5). Append-only: what was
-- packaged stays as it is; later states of a submission are events of their own.
create table ops.regulatory_submission (
    submission_id bigint generated always as identity primary key,
    profile text not null,
    spec_version text not null,
    period_end date not null,
    sequence integer not null check (sequence >= 1),
    kind text not null check (kind in ('first', 'replacement')),
    reason text not null check (reason <> ''),
    replaces_submission_id bigint references ops.regulatory_submission,
    publication integer not null,
    as_of date not null,
    known_at timestamptz not null,
    spec_hash text not null,
    content_hash text not null,
    generator_version text not null,
    folder text not null,
    findings_to_verify integer not null default 0,
    read_as text not null,
    prepared_by text not null default session_user,
    prepared_at timestamptz not null default now(),
    unique (profile, period_end, sequence),
    check ((kind = 'first') = (sequence = 1)),
    check ((kind = 'replacement') = (replaces_submission_id is not null))
);
comment on table ops.regulatory_submission is 'Regulator packages (监管报送): one row a package, numbered within profile and period';
comment on column ops.regulatory_submission.content_hash is 'SHA-256 over the data files: equal content makes no new submission';
comment on column ops.regulatory_submission.spec_hash is 'SHA-256 over the profile as loaded';
comment on column ops.regulatory_submission.read_as is 'Login whose rights decided which rows were read';
comment on column ops.regulatory_submission.folder is 'Folder of the package, relative to the folder of all packages';

create table ops.regulatory_submission_file (
    submission_id bigint not null references ops.regulatory_submission,
    file_name text not null,
    table_name text not null,
    row_count bigint not null,
    bytes bigint not null,
    sha256 text not null,
    md5 text not null,
    archive_name text not null,
    archive_bytes bigint not null,
    archive_sha256 text not null,
    control_totals jsonb not null default '{}',
    primary key (submission_id, file_name)
);
comment on table ops.regulatory_submission_file is 'Data files of a package with their hashes and control totals: one row a file';

create function ops.refuse_change_of_submission() returns trigger language plpgsql as $$
begin
    raise exception '% of ops.% is refused: what was submitted stays (DESIGN, decision 9)', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

create trigger append_only before update or delete or truncate on ops.regulatory_submission
for each statement execute function ops.refuse_change_of_submission();
create trigger append_only before update or delete or truncate on ops.regulatory_submission_file
for each statement execute function ops.refuse_change_of_submission();
