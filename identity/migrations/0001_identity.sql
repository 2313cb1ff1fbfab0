-- Memory of the resolution of parties (DESIGN 7): events are appended, and core reads them like raw.

create schema if not exists identity;

create table identity.event (
    event_no bigint generated always as identity primary key,
    event_id text not null unique,
    previous_event_id text unique references identity.event (event_id),
    event_type text not null check (event_type in ('create', 'link', 'unlink', 'conflict')),
    party_id text not null,
    other_party_id text,
    source_system text not null,
    customer_id text not null,
    rule text not null,
    rule_version text not null,
    model_version text,
    reason text not null,
    basis text check (basis in ('same_controller', 'matching_basis')),
    business_date date not null,
    known_at timestamptz not null,
    check (event_type <> 'link' or basis is not null),
    check (event_type not in ('create', 'conflict') or previous_event_id is null)
);

create index event_customer_idx on identity.event (source_system, customer_id, event_no desc);
create index event_party_idx on identity.event (party_id);
create unique index event_first_idx on identity.event (source_system, customer_id)
where previous_event_id is null and event_type <> 'conflict';

comment on table identity.event is 'One decision about one customer: appended, never changed';
comment on column identity.event.event_no is 'Order of appending';
comment on column identity.event.event_id is 'Hash of what happened; the same decision is appended once';
comment on column identity.event.previous_event_id is 'The event that this one supersedes as the customer''s place';
comment on column identity.event.event_type is
'create: founds a party; link: joins one; unlink: leaves for a party of its own; conflict: nothing moved, for review';
comment on column identity.event.party_id is 'Party in which the customer stands after the event';
comment on column identity.event.other_party_id is
'The party left (link, unlink) or the one that it was not joined with (conflict)';
comment on column identity.event.rule is 'Rule of identity/rules.yaml, or who decided';
comment on column identity.event.model_version is 'Version of the trained model; null where an identifier alone decided';
comment on column identity.event.basis is 'Why the customers might be compared: same controller, or both with a basis';
comment on column identity.event.known_at is 'Time of receipt of what the decision rests on; never the clock of the run';

create function identity.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'identity.% is append-only: a decision is revoked by a later event', tg_table_name;
end
$$;

create trigger event_append_only before update or delete or truncate on identity.event
for each statement execute function identity.refuse_change();

create table identity.standardised_customer (
    source_system text not null,
    customer_id text not null,
    controller_id text not null,
    party_kind text not null,
    customer_name text,
    id_type text,
    id_number text,
    has_matching_basis boolean not null,
    first_known_at timestamptz not null,
    name_key text not null,
    identifier_kind text,
    identifier text,
    identifier_state text not null,
    has_other_identifier boolean not null,
    rule_version text not null,
    primary key (source_system, customer_id)
);

create index standardised_customer_identifier_idx on identity.standardised_customer
(identifier_kind, identifier, party_kind) where identifier is not null;

comment on table identity.standardised_customer is
'What each customer was last resolved by, standardised beside the original; can be made anew from the sources';
comment on column identity.standardised_customer.identifier is 'The one written form of a valid number (C3)';
comment on column identity.standardised_customer.identifier_state is
'valid, missing, not_applicable (no rule knows the document), placeholder or invalid';
comment on column identity.standardised_customer.has_other_identifier is
'The identifier changed after the customer was placed: it links nothing until a steward has judged';

create view identity.party_source as
select distinct on (source_system, customer_id)
    source_system,
    customer_id,
    party_id,
    rule,
    known_at as since_known_at,
    event_type,
    event_id
from identity.event
where event_type <> 'conflict'
order by source_system, customer_id, event_no desc;

comment on view identity.party_source is 'The party in which each customer of each source stands now: one row a customer';

create view identity.review as
select
    e.event_no,
    e.event_id,
    e.source_system,
    e.customer_id,
    e.party_id,
    e.other_party_id,
    e.rule,
    e.reason,
    e.business_date,
    e.known_at
from identity.event as e
where e.event_type = 'conflict';

comment on view identity.review is 'Conflicts, for the steward: customers that an identifier would join and a rule keeps apart';
