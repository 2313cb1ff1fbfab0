-- The phase-complete record (checklist 8): one row a run of a step; the newest row of a step tells whether it is done.
create table ops.step_run (
    step_run_id bigint generated always as identity primary key,
    business_date date not null,
    step text not null,
    subject text not null default '',
    state text not null check (state in ('running', 'done', 'failed')),
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    message text,
    figures jsonb not null default '{}'
);
create index on ops.step_run (business_date, step, subject);
comment on table ops.step_run is 'Runs of the pipeline''s steps: one row a run of one step for one business date (and source, profile or period)';
comment on column ops.step_run.subject is 'Source of an ingest, period of an assessment, profile of an extract; empty where the step has none';
comment on column ops.step_run.figures is 'What the step counted, by name: models, passed, warned, failed …';
comment on column ops.step_run.message is 'What the step reported, or why it failed; no personal data';
