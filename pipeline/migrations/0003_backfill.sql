-- Backfills 补数 are recorded requests: one asks, another approves, then the ordinary steps run over the dates in order.
create table ops.backfill (
    backfill_id bigint generated always as identity primary key,
    first_date date not null,
    last_date date not null,
    sources text[] not null check (cardinality(sources) > 0),
    reason text not null check (reason ~ '\S'),
    requested_by text not null default session_user,
    requested_at timestamptz not null default clock_timestamp(),
    unique (backfill_id, requested_by),
    check (first_date <= last_date)
);
comment on table ops.backfill is 'Requests to take business dates through the steps again: one row a request';
comment on column ops.backfill.sources is 'sources whose files of these dates are received; what stands on them is built whole';
comment on column ops.backfill.requested_by is 'database login of the one who asked';

create table ops.backfill_approval (
    backfill_id bigint primary key,
    requested_by text not null,
    approved_by text not null default session_user,
    approved_at timestamptz not null default clock_timestamp(),
    foreign key (backfill_id, requested_by) references ops.backfill (backfill_id, requested_by),
    constraint preparer_is_not_approver check (approved_by <> requested_by)
);
comment on table ops.backfill_approval is 'Approvals of backfills, never by the one who asked: at most one row a request';
comment on column ops.backfill_approval.approved_by is 'database login of the one who approved';

create table ops.backfill_date (
    backfill_id bigint not null references ops.backfill_approval,
    business_date date not null,
    done_at timestamptz not null default clock_timestamp(),
    primary key (backfill_id, business_date)
);
comment on table ops.backfill_date is 'Business dates that a backfill has taken the whole way; a run that goes on begins after them';

-- The actor is the login of the session, whatever the statement says.
create function ops.sign_backfill() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'backfill' then
        new.requested_by := session_user;
        new.requested_at := clock_timestamp();
    else
        new.approved_by := session_user;
        new.approved_at := clock_timestamp();
    end if;
    return new;
end $$;
create trigger sign before insert on ops.backfill for each row execute function ops.sign_backfill();
create trigger sign before insert on ops.backfill_approval for each row execute function ops.sign_backfill();

create function ops.refuse_change_of_backfill() returns trigger language plpgsql as $$
begin
    raise exception '% of ops.% is refused: what was asked and approved stays', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end $$;
create trigger append_only before update or delete or truncate on ops.backfill
for each statement execute function ops.refuse_change_of_backfill();
create trigger append_only before update or delete or truncate on ops.backfill_approval
for each statement execute function ops.refuse_change_of_backfill();

create view ops.backfill_state as
select
    backfill.backfill_id,
    backfill.first_date,
    backfill.last_date,
    backfill.sources,
    case
        when progress.dates_done = progress.dates then 'done'
        when newest.state in ('running', 'failed') then newest.state
        when approval.backfill_id is not null then 'approved'
        else 'requested'
    end as state,
    progress.dates,
    progress.dates_done,
    backfill.reason,
    backfill.requested_by,
    backfill.requested_at,
    approval.approved_by,
    approval.approved_at,
    newest.message
from ops.backfill as backfill
cross join lateral (
    select
        backfill.last_date - backfill.first_date + 1 as dates,
        (select count(*) from ops.backfill_date as done where done.backfill_id = backfill.backfill_id) as dates_done
) as progress
left join ops.backfill_approval as approval on approval.backfill_id = backfill.backfill_id
left join lateral (
    select run.state, run.message from ops.step_run as run
    where run.step = 'backfill' and run.subject = backfill.backfill_id::text
    order by run.step_run_id desc limit 1
) as newest on true;
comment on view ops.backfill_state is
'Backfills with their state (requested, approved, running, failed, done): a killed run reads running until it is run again';
