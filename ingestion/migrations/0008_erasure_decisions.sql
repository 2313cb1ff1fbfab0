-- An erasure is requested by one and approved by another (DESIGN decisions 9 and 16); a hold of the law is dated.

alter table ops.erasure add column relationship_until date;
comment on column ops.erasure.relationship_until is
'day on which the law lets go of what identifies a customer: 9999-12-31 while an account is open, then by the term in force';

alter table ops.erasure add constraint erasure_requester unique (erasure_id, requested_by);

create table ops.erasure_decision (
    decision_id bigint generated always as identity primary key,
    erasure_id bigint not null,
    requested_by text not null,
    verdict text not null check (verdict in ('approve', 'reject', 'hold')),
    hold_until date,
    reason text not null check (reason ~ '\S'),
    decided_at timestamptz not null default clock_timestamp(),
    decided_by text not null default session_user,
    foreign key (erasure_id, requested_by) references ops.erasure (erasure_id, requested_by),
    constraint requester_is_not_approver check (verdict <> 'approve' or decided_by <> requested_by),
    check ((verdict = 'hold') = (hold_until is not null))
);

create index erasure_decision_erasure_idx on ops.erasure_decision (erasure_id);

comment on table ops.erasure_decision is
'What was decided about requests to erase: one row a decision, appended; the last approval or rejection and the last hold count';
comment on column ops.erasure_decision.verdict is
'approve: another than the requester agrees; reject: nothing more is erased; hold: the law or an investigation forbids it until a day';
comment on column ops.erasure_decision.hold_until is 'first day on which anything may be erased; a later hold takes its place';
comment on column ops.erasure_decision.decided_by is 'database login of the one who decided, whatever the statement said';

create function ops.sign_erasure() returns trigger language plpgsql as $$
begin
    if tg_table_name = 'erasure' then
        new.requested_by := session_user;
    else
        new.decided_by := session_user;
        new.decided_at := clock_timestamp();
    end if;
    return new;
end
$$;

create trigger erasure_is_signed before insert on ops.erasure for each row execute function ops.sign_erasure();
create trigger erasure_decision_is_signed before insert on ops.erasure_decision
for each row execute function ops.sign_erasure();

create function ops.refuse_erasure_change() returns trigger language plpgsql as $$
begin
    raise exception 'ops.% is append-only: decide again', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger erasure_decision_append_only before update or delete on ops.erasure_decision
for each statement execute function ops.refuse_erasure_change();

create view ops.approved_erasure as
select
    erasure.erasure_id,
    erasure.source_system,
    erasure.table_name,
    erasure.key,
    approval.decided_by as approved_by,
    approval.decided_at as approved_at,
    greatest(coalesce(hold.hold_until, erasure.not_before), erasure.relationship_until) as not_before
from ops.erasure
cross join lateral (
    select verdict, decided_by, decided_at from ops.erasure_decision as decision
    where decision.erasure_id = erasure.erasure_id and decision.verdict in ('approve', 'reject')
    order by decision_id desc limit 1
) as approval
left join lateral (
    select hold_until from ops.erasure_decision as decision
    where decision.erasure_id = erasure.erasure_id and decision.verdict = 'hold'
    order by decision_id desc limit 1
) as hold on true
where approval.verdict = 'approve';

comment on view ops.approved_erasure is
'Requests that a second person approved, with the first day on which they may be carried out: what erasing, loading and identity ask';

create function ops.held_until(made_on date, since date [], periods interval []) returns date
language sql immutable as $$
    select min(term.ends_on)
    from (
        select
            greatest((made_on + period)::date, begins_on) as ends_on,
            lead(begins_on, 1, date 'infinity') over (order by begins_on) as replaced_on
        from unnest(since, periods) as term (begins_on, period)
    ) as term
    where term.ends_on < term.replaced_on
$$;

comment on function ops.held_until is
'Day on which a record leaves the hold of a law whose term was changed: the first on which it is older than the term then in force. Null without terms';
