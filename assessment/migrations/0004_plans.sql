-- Targets as people plan them (目标计划): uploaded by one login, approved by another, never changed.
create table assessment.plan_upload (
    upload_id bigint generated always as identity primary key,
    file_name text not null,
    file_hash text not null unique,
    reason text not null check (reason <> ''),
    prepared_by text not null default session_user,
    prepared_at timestamptz not null default now(),
    unique (upload_id, prepared_by)
);
comment on table assessment.plan_upload is 'Workbooks of targets and plan curves that were uploaded (目标上传); the actor is the login';
comment on column assessment.plan_upload.file_hash is 'SHA-256 of the file: the same workbook is taken once';

create table assessment.plan_decision (
    upload_id bigint primary key,
    prepared_by text not null,
    decision text not null check (decision in ('approved', 'rejected')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    foreign key (upload_id, prepared_by) references assessment.plan_upload (upload_id, prepared_by),
    constraint preparer_is_not_approver check (decided_by <> prepared_by)
);
comment on table assessment.plan_decision is 'Decision of a second person on an upload (审批); the actor is the login';

create table assessment.plan_target (
    upload_id bigint not null references assessment.plan_upload (upload_id),
    line integer not null,
    kpi_id text not null,
    owner_kind text not null check (owner_kind in ('employee', 'organisation')),
    owner_id text not null,
    plan_year integer not null,
    valid_from date not null,
    target_value numeric(18, 4) not null,
    unit text not null check (unit in ('CNY', 'count', 'ratio')),
    spread text not null check (spread in ('cumulative', 'level')),
    curve_id text,
    set_by text not null,
    primary key (upload_id, line),
    unique (upload_id, kpi_id, owner_kind, owner_id, plan_year, valid_from),
    check ((spread = 'cumulative') = (curve_id is not null))
);
comment on table assessment.plan_target is 'Targets of a year (年度目标), one row a version: from valid_from on this is the target of the year';
comment on column assessment.plan_target.line is 'Row of the sheet';
comment on column assessment.plan_target.spread is 'cumulative: the year is reached along the curve (累计). level: it holds in every period (时点)';
comment on column assessment.plan_target.set_by is 'Employee who set it; the owner himself where targets are set by oneself (三自定, KPI-12)';

create table assessment.plan_curve (
    upload_id bigint not null references assessment.plan_upload (upload_id),
    line integer not null,
    curve_id text not null,
    day date not null,
    cumulative_share numeric(9, 8) not null check (cumulative_share between 0 and 1),
    primary key (upload_id, line),
    unique (upload_id, curve_id, day)
);
comment on table assessment.plan_curve is 'Plan curves (计划进度): how much of the year shall be reached by the end of a day (GT-05)';

create view assessment.plan_approval as
select upload_id, decided_by, decided_at
from assessment.plan_decision
where decision = 'approved' and decided_at <= ops.known_on();
comment on view assessment.plan_approval is
'Uploads that had been approved at the session''s c360.known_on: one row an upload';

do $$
declare
    appended text;
begin
    foreach appended in array array['plan_upload', 'plan_decision', 'plan_target', 'plan_curve'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on assessment.%I '
            'for each statement execute function assessment.refuse_change()', appended
        );
    end loop;
end $$;
