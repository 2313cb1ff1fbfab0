-- Results of the checks at both edges: appended, for the quality marts and for whoever asks what a publication passed.

create schema if not exists ops;

create table ops.check_result (
    check_result_id bigint generated always as identity primary key,
    run_key text not null,
    edge text not null check (edge in ('raw', 'mart')),
    business_date date not null,
    suite text not null,
    expectation text not null,
    table_name text not null,
    column_name text,
    dimension text not null check (
        dimension in ('completeness', 'accuracy', 'timeliness', 'consistency', 'uniqueness', 'validity')
    ),
    severity text not null check (severity in ('fail', 'warn')),
    success boolean not null,
    subjects bigint,
    unexpected bigint,
    observed text,
    expected text not null,
    why text not null,
    checked_at timestamptz not null default clock_timestamp()
);

create index check_result_date_idx on ops.check_result (business_date, edge);
create index check_result_run_idx on ops.check_result (run_key);

comment on table ops.check_result is 'One expectation checked once; it holds measurements and names of tables, never a value of a row';
comment on column ops.check_result.run_key is 'edge/business date/number of the run';
comment on column ops.check_result.table_name is 'What the suite looks at';
comment on column ops.check_result.column_name is 'The measurement that the expectation is about';
comment on column ops.check_result.severity is 'fail: the gate stays closed; warn: counted and shown';
comment on column ops.check_result.subjects is 'Measured things (tables, files, months …) that were judged';
comment on column ops.check_result.unexpected is 'How many of them did not pass';
comment on column ops.check_result.observed is 'What was found where it did not pass';
