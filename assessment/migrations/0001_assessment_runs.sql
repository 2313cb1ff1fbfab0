-- Assessment runs and what they sealed (DESIGN, decision 11). Everything here is appended, nothing changes:
-- the state of a run follows from the decisions taken on it.
create schema if not exists assessment;
comment on schema assessment is 'Assessment runs of managers (考核): pinned rules, data cut and sealed evidence; append-only';

create table assessment.run (
    run_id text primary key,
    scheme_id text not null,
    scheme_version_id text not null,
    period_start date not null,
    period_end date not null,
    sequence integer not null,
    kind text not null check (kind in ('provisional', 'final', 'reassessment')),
    supersedes_run_id text references assessment.run (run_id),
    publication integer not null,
    as_of date not null,
    known_at timestamptz not null,
    code_version text not null,
    rules_hash text not null,
    input_hash text not null,
    prepared_by text not null default session_user,
    prepared_at timestamptz not null default now(),
    unique (scheme_id, period_start, sequence),
    unique (run_id, prepared_by),
    check (period_start <= period_end),
    check (kind <> 'final' or as_of >= period_end),
    check ((kind = 'reassessment') <= (supersedes_run_id is not null))
);
comment on table assessment.run is 'One assessment of one scheme and period: what it was computed from (考核批次)';
comment on column assessment.run.run_id is '<scheme>/<period>/<sequence>';
comment on column assessment.run.publication is 'Publication of the marts that the metrics were sealed from';
comment on column assessment.run.as_of is 'Last business date in that publication';
comment on column assessment.run.known_at is 'Latest time of receipt of the data behind it (DESIGN, decision 4)';
comment on column assessment.run.code_version is 'SHA-256 over the programs that compute metrics and scores';
comment on column assessment.run.rules_hash is 'SHA-256 over the sealed rules';
comment on column assessment.run.input_hash is 'SHA-256 over everything sealed: rules, owners, targets, metrics, evidence';

create table assessment.decision (
    run_id text primary key,
    prepared_by text not null,
    decision text not null check (decision in ('accepted', 'rejected')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    foreign key (run_id, prepared_by) references assessment.run (run_id, prepared_by),
    constraint preparer_is_not_approver check (decided_by <> prepared_by)
);
comment on table assessment.decision is 'Decision of a second person on a proposed re-assessment (复核); the actor is the login';

create table assessment.sealed_owner (
    run_id text not null references assessment.run (run_id),
    owner_id text not null,
    owner_name text not null,
    organisation_id text not null,
    organisation_name text not null,
    manager_grade text,
    controller_id text not null,
    primary key (run_id, owner_id)
);
comment on table assessment.sealed_owner is 'Managers assessed in a run, as they stood at the end of the period (考核对象)';

create table assessment.sealed_item (
    run_id text not null references assessment.run (run_id),
    item_no integer not null,
    kpi_id text not null,
    metric_id text not null,
    kind text not null,
    direction text not null,
    weight numeric not null,
    scoring text not null,
    measured_on text not null,
    points_per_unit numeric,
    base_score numeric,
    floor_score numeric not null,
    cap_score numeric not null,
    minimum_cases integer not null,
    missing_behaviour text not null,
    default_score numeric,
    zero_target_behaviour text not null,
    primary key (run_id, kpi_id)
);
comment on table assessment.sealed_item is 'Scorecard items of a run, copied from the rule version (考核指标)';

create table assessment.sealed_ladder (
    run_id text not null references assessment.run (run_id),
    kpi_id text not null,
    rung_no integer not null,
    lower_bound numeric,
    upper_bound numeric,
    score numeric not null,
    primary key (run_id, kpi_id, rung_no)
);
comment on table assessment.sealed_ladder is 'Rungs of a run, half-open [lower, upper), an empty bound is infinite (分档)';

create table assessment.sealed_grade (
    run_id text not null references assessment.run (run_id),
    grade_no integer not null,
    grade text not null,
    grade_zh text not null,
    lower_total numeric,
    upper_total numeric,
    primary key (run_id, grade_no)
);
comment on table assessment.sealed_grade is 'Grades of totals of a run, half-open [lower, upper) (考核等级)';

create table assessment.sealed_target (
    run_id text not null references assessment.run (run_id),
    owner_id text not null,
    kpi_id text not null,
    target_value numeric not null,
    target_id text not null,
    set_by text not null,
    approved_by text not null,
    primary key (run_id, owner_id, kpi_id)
);
comment on table assessment.sealed_target is 'Targets in force for a run (考核目标)';

create table assessment.sealed_metric (
    run_id text not null references assessment.run (run_id),
    owner_id text not null,
    metric_id text not null,
    metric_value numeric,
    numerator numeric,
    denominator numeric,
    case_count integer not null,
    primary key (run_id, owner_id, metric_id)
);
comment on table assessment.sealed_metric is 'Metric values of a run; an empty value is missing (指标值)';

create table assessment.sealed_evidence (
    run_id text not null references assessment.run (run_id),
    owner_id text not null,
    metric_id text not null,
    evidence_id text not null,
    party_key bigint not null,
    customer_id text not null,
    customer_name_masked text not null,
    subject_kind text not null,
    subject_label text not null,
    numerator numeric not null,
    denominator numeric,
    share numeric not null,
    primary key (run_id, owner_id, metric_id, evidence_id)
);
comment on table assessment.sealed_evidence is 'What each metric value is the sum of: one row a customer, account, card or event (考核依据)';

create function assessment.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% of assessment.% is refused: assessments are append-only (DESIGN, decision 11)', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;

do $$
declare
    appended text;
begin
    foreach appended in array array[
        'run', 'decision', 'sealed_owner', 'sealed_item', 'sealed_ladder', 'sealed_grade',
        'sealed_target', 'sealed_metric', 'sealed_evidence'
    ] loop
        execute format(
            'create trigger append_only before update or delete or truncate on assessment.%I '
            'for each statement execute function assessment.refuse_change()', appended
        );
    end loop;
end $$;

create view assessment.run_state as
with judged_runs as (
    select
        run.*,
        decision.decision,
        decision.decided_by,
        decision.decided_at,
        decision.reason,
        run.kind <> 'reassessment' or coalesce(decision.decision = 'accepted', false) as was_in_force
    from assessment.run
    left join assessment.decision on decision.run_id = run.run_id
)
select
    judged_runs.*,
    case
        when kind = 'reassessment' and decision is null then 'proposed'
        when decision = 'rejected' then 'rejected'
        when exists (
            select from judged_runs as later
            where later.scheme_id = judged_runs.scheme_id
                and later.period_start = judged_runs.period_start
                and later.sequence > judged_runs.sequence
                and later.was_in_force
        ) then 'superseded'
        else 'in_force'
    end as state
from judged_runs;
comment on view assessment.run_state is 'Runs with their state: proposed, in_force, superseded, rejected';

create function assessment.difference(earlier_run text, later_run text)
returns table (owner_id text, metric_id text, earlier_value numeric, later_value numeric, change numeric)
language sql stable as $$
    select
        owner_id,
        metric_id,
        earlier.metric_value,
        later.metric_value,
        coalesce(later.metric_value, 0) - coalesce(earlier.metric_value, 0)
    from (select * from assessment.sealed_metric where run_id = earlier_run) as earlier
    full join (select * from assessment.sealed_metric where run_id = later_run) as later
        using (owner_id, metric_id)
    where earlier.metric_value is distinct from later.metric_value
    order by owner_id collate "C", metric_id collate "C"
$$;
comment on function assessment.difference is 'What changed between two runs, metric by metric (差异报告)';
