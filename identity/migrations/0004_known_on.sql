-- Where customers stand obeys the session's `c360.known_on`, too: a rebuild reads the events of that time.
create or replace view identity.party_source as
select distinct on (source_system, customer_id)
    source_system,
    customer_id,
    party_id,
    rule,
    known_at as since_known_at,
    event_type,
    event_id
from identity.event
where event_type <> 'conflict' and known_at <= ops.known_on()
order by source_system, customer_id, event_no desc;

-- What was found of each number that a customer ever had, also of those it has no more: standardised_customer tells the
-- last one only. The number itself stays in the sources.
create table identity.number_check (
    source_system text not null,
    customer_id text not null,
    number_hash text not null,
    identifier_state text not null,
    rule_version text not null,
    known_at timestamptz not null,
    primary key (source_system, customer_id, number_hash)
);
comment on table identity.number_check is
'What identity found of the numbers of documents: one row a customer and number';
comment on column identity.number_check.number_hash is 'md5 of kind and number of the document, as the source wrote them';
comment on column identity.number_check.identifier_state is 'See standardised_customer, by the rules of rule_version';
comment on column identity.number_check.known_at is 'Time of receipt of what was known when it was first looked at';

insert into identity.number_check (source_system, customer_id, number_hash, identifier_state, rule_version, known_at)
select source_system, customer_id, md5(concat_ws(' ', id_type, id_number)), identifier_state, rule_version, first_known_at
from identity.standardised_customer
where id_type is not null and id_number is not null;

create view identity.number_check_known as
select source_system, customer_id, number_hash, identifier_state
from identity.number_check
where known_at <= ops.known_on();
comment on view identity.number_check_known is
'Findings that rest on what was known at the session''s c360.known_on: one row a customer and number';
