-- What people decide on results (人工调整, 申诉): appended beside them, never over them.
create table assessment.appeal (
    appeal_id bigint generated always as identity primary key,
    run_id text not null,
    owner_id text not null,
    reason text not null check (reason <> ''),
    raised_by text not null default session_user,
    raised_at timestamptz not null default now(),
    foreign key (run_id, owner_id) references assessment.sealed_owner (run_id, owner_id),
    unique (appeal_id, raised_by)
);
comment on table assessment.appeal is 'Appeals of managers against a result, as taken down (申诉); the actor is the login';

create table assessment.appeal_decision (
    appeal_id bigint primary key,
    raised_by text not null,
    decision text not null check (decision in ('upheld', 'rejected')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    foreign key (appeal_id, raised_by) references assessment.appeal (appeal_id, raised_by),
    constraint preparer_is_not_approver check (decided_by <> raised_by)
);
comment on table assessment.appeal_decision is 'Decision of a second person on an appeal (申诉处理)';

create table assessment.adjustment (
    adjustment_id bigint generated always as identity primary key,
    run_id text not null,
    owner_id text not null,
    points numeric(9, 2) not null check (points <> 0),
    reason text not null check (reason <> ''),
    appeal_id bigint references assessment.appeal (appeal_id),
    prepared_by text not null default session_user,
    prepared_at timestamptz not null default now(),
    foreign key (run_id, owner_id) references assessment.sealed_owner (run_id, owner_id),
    unique (adjustment_id, prepared_by)
);
comment on table assessment.adjustment is 'Points that a person adds to or takes off a total (人工调整); the actor is the login';
comment on column assessment.adjustment.appeal_id is 'The appeal that it answers, where there is one';

create table assessment.adjustment_decision (
    adjustment_id bigint primary key,
    prepared_by text not null,
    decision text not null check (decision in ('approved', 'rejected')),
    reason text not null check (reason <> ''),
    decided_by text not null default session_user,
    decided_at timestamptz not null default now(),
    foreign key (adjustment_id, prepared_by) references assessment.adjustment (adjustment_id, prepared_by),
    constraint preparer_is_not_approver check (decided_by <> prepared_by)
);
comment on table assessment.adjustment_decision is 'Decision of a second person on an adjustment (复核)';

do $$
declare
    appended text;
begin
    foreach appended in array array['appeal', 'appeal_decision', 'adjustment', 'adjustment_decision'] loop
        execute format(
            'create trigger append_only before update or delete or truncate on assessment.%I '
            'for each statement execute function assessment.refuse_change()', appended
        );
    end loop;
end $$;

create view assessment.adjustment_state as
select
    adjustment.*,
    coalesce(decision.decision, 'waiting') as state,
    decision.decided_by,
    decision.decided_at,
    decision.reason as decision_reason
from assessment.adjustment
left join assessment.adjustment_decision as decision on decision.adjustment_id = adjustment.adjustment_id;
comment on view assessment.adjustment_state is 'Adjustments with their state: waiting, approved, rejected';

create view assessment.appeal_state as
select
    appeal.*,
    coalesce(decision.decision, 'waiting') as state,
    decision.decided_by,
    decision.decided_at,
    decision.reason as decision_reason
from assessment.appeal
left join assessment.appeal_decision as decision on decision.appeal_id = appeal.appeal_id;
comment on view assessment.appeal_state is 'Appeals with their state: waiting, upheld, rejected';
