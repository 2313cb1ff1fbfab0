-- Decisions of stewards (DESIGN 7): appended, never changed; the last link or unlink about a pair is in force and stands
-- above every rule and model.

create table identity.decision (
    decision_id bigint generated always as identity primary key,
    verdict text not null check (verdict in ('link', 'unlink', 'dismiss')),
    left_source_system text collate "C" not null,
    left_customer_id text collate "C" not null,
    right_source_system text collate "C",
    right_customer_id text collate "C",
    reason text not null check (reason ~ '\S'),
    decided_at timestamptz not null,
    decided_by text not null,
    check ((right_source_system is null) = (right_customer_id is null)),
    check (verdict = 'dismiss' or right_customer_id is not null),
    check ((left_source_system, left_customer_id) < (right_source_system, right_customer_id))
);

create index decision_pair_idx on identity.decision
(left_source_system, left_customer_id, right_source_system, right_customer_id);

comment on table identity.decision is
'What stewards decided about pairs of customers: one row a decision, appended, never changed';
comment on column identity.decision.verdict is
'link: one party, whatever rules say; unlink: never one party; dismiss: nothing follows, the item leaves the queue';
comment on column identity.decision.left_customer_id is 'The pair in the order of its text, so that it is written one way';
comment on column identity.decision.right_customer_id is 'NULL where an item of the queue names one customer only';
comment on column identity.decision.decided_by is 'Database login of the one who decided, whatever the statement said';

create function identity.sign_decision() returns trigger language plpgsql as $$
begin
    new.decided_by := session_user;
    new.decided_at := clock_timestamp();
    return new;
end
$$;

create trigger decision_is_signed before insert on identity.decision
for each row execute function identity.sign_decision();

create trigger decision_append_only before update or delete or truncate on identity.decision
for each statement execute function identity.refuse_change();

create view identity.judgement as
select distinct on (left_source_system, left_customer_id, right_source_system, right_customer_id)
    decision_id,
    verdict,
    left_source_system,
    left_customer_id,
    right_source_system,
    right_customer_id
from identity.decision
where verdict <> 'dismiss'
order by left_source_system, left_customer_id, right_source_system, right_customer_id, decision_id desc;

comment on view identity.judgement is 'The decision in force about each pair of customers: the last link or unlink';

alter table identity.event add column decision_id bigint references identity.decision (decision_id);

comment on column identity.event.decision_id is 'The steward''s decision that the event carries out';

create view identity.steward_queue as
with item as (
    select
        'P' || pair_id as item,
        found_at,
        reason,
        match_probability,
        left_source_system,
        left_customer_id,
        right_source_system,
        right_customer_id
    from identity.review_pair
    union all
    select
        'E' || review.event_no,
        review.known_at,
        review.reason,
        null,
        review.source_system,
        review.customer_id,
        other.source_system,
        other.customer_id
    from identity.review
    inner join identity.standardised_customer as stood
        on stood.source_system = review.source_system and stood.customer_id = review.customer_id
    left join lateral (
        select
            candidate.source_system,
            candidate.customer_id
        from identity.party_source as placed
        inner join identity.standardised_customer as candidate
            on candidate.source_system = placed.source_system and candidate.customer_id = placed.customer_id
        where placed.party_id = coalesce(review.other_party_id, review.party_id)
            and (placed.source_system, placed.customer_id) <> (review.source_system, review.customer_id)
        order by
            (candidate.identifier is not distinct from stood.identifier) desc,
            candidate.first_known_at, candidate.source_system collate "C", candidate.customer_id collate "C"
        limit 1
    ) as other on true
    where review.reason in ('identifier_changed', 'identifier_overused')  -- all else is a pair
)

select
    item.*,
    placed.party_id as left_party_id,
    other.party_id as right_party_id
from item
inner join identity.party_source as placed
    on placed.source_system = item.left_source_system and placed.customer_id = item.left_customer_id
left join identity.party_source as other
    on other.source_system = item.right_source_system and other.customer_id = item.right_customer_id
where (item.reason in ('identifier_changed', 'identifier_overused') or placed.party_id <> other.party_id)
    and not exists (
        select 1 from identity.decision
        where (decision.verdict <> 'dismiss' or decision.decided_at >= item.found_at)
            and (
                (decision.left_source_system, decision.left_customer_id) = (item.left_source_system, item.left_customer_id)
                and (decision.right_source_system, decision.right_customer_id)
                is not distinct from (item.right_source_system, item.right_customer_id)
                or (decision.left_source_system, decision.left_customer_id) = (item.right_source_system, item.right_customer_id)
                and (decision.right_source_system, decision.right_customer_id) = (item.left_source_system, item.left_customer_id)
            )
    );

comment on view identity.steward_queue is
'What waits for a steward: pairs that a model or a shared identifier names and that are not one party, and customers whose '
'identifier changed; what was decided has left. Customers only, no names';
comment on column identity.steward_queue.right_customer_id is
'The customer to compare with: of the other party the one with the same identifier, else the first known; NULL: none';
