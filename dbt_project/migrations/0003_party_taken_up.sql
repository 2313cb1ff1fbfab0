-- What the models of parties remember between runs beside batches: which events of identity they have taken up (DESIGN 5, 7).
create table ops.party_taken_up (
    consumer text primary key,
    events_from bigint not null,
    events_to bigint not null,
    rules_before text,
    rules_now text,
    taken_in text not null,
    taken_at timestamptz not null default clock_timestamp()
);
comment on table ops.party_taken_up is 'Events of identity that a model of parties has taken up: one row a model (schema.name), in the transaction that took them';
comment on column ops.party_taken_up.events_from is 'The run took up the events after this one';
comment on column ops.party_taken_up.events_to is 'and up to this one';
comment on column ops.party_taken_up.rules_now is 'Hash of the rules in force that the run computed by; where it differs from rules_before every party is computed anew';
