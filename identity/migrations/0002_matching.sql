-- Matching by a trained model (decision 0028): what it compares, what it leaves to a steward, what a run found.

alter table identity.standardised_customer
add column phone text,
add column address text,
add column birth_date date,
add column gender text,
add column name_sound text,
add column phone_key text,
add column phone_state text,
add column division text,
add column building text,
add column door text,
add column born_on text,
add column sex text,
add column id_written text;

create index standardised_customer_phone_idx on identity.standardised_customer (phone_key) where phone_key is not null;
create index standardised_customer_door_idx on identity.standardised_customer (door) where door is not null;
create index standardised_customer_name_idx on identity.standardised_customer (name_key, born_on) where name_key <> '';

comment on column identity.standardised_customer.name_sound is 'Pinyin of a person''s name';
comment on column identity.standardised_customer.phone_key is 'Digits of a usable number (C2)';
comment on column identity.standardised_customer.phone_state is 'valid, missing, placeholder or invalid';
comment on column identity.standardised_customer.division is
'Division (GB/T 2260) that the address names: county, else city, else province';
comment on column identity.standardised_customer.building is 'County, road, number, estate and block in one form (C2)';
comment on column identity.standardised_customer.door is 'The same with unit, floor and room (C2)';
comment on column identity.standardised_customer.born_on is 'Date of birth as held, else as a valid resident id says (C2)';
comment on column identity.standardised_customer.sex is 'M or F as held, else as a valid resident id says';
comment on column identity.standardised_customer.id_written is
'Number without accidents of writing; not valid where identifier is null, but perhaps a typing error (C3)';

alter table identity.event add column match_weight numeric;
comment on column identity.event.match_weight is
'Base 2 logarithm of the odds that the model gave; null where an identifier decided';

create table identity.review_pair (
    pair_id text primary key,
    left_source_system text not null,
    left_customer_id text not null,
    right_source_system text not null,
    right_customer_id text not null,
    match_weight numeric,
    match_probability numeric check (match_probability between 0 and 1),
    reason text not null,
    model_version text,
    found_at timestamptz not null,
    check ((left_source_system, left_customer_id) < (right_source_system, right_customer_id))
);

create index review_pair_left_idx on identity.review_pair (left_source_system, left_customer_id);
create index review_pair_right_idx on identity.review_pair (right_source_system, right_customer_id);

comment on table identity.review_pair is
'Two customers that may be one party, for a steward: the open ones; a pair that is answered by new data goes';
comment on column identity.review_pair.pair_id is 'Hash of the two customers: always the same for the same two';
comment on column identity.review_pair.match_weight is 'As the model gave it; null where only a rule about identifiers spoke';
comment on column identity.review_pair.reason is
'review_band, or the rule that keeps a likely pair apart: same_source, names_differ, identifiers_differ and so on';
comment on column identity.review_pair.found_at is 'Time of receipt of what it rests on; never the clock of the run';

create table identity.matching_run (
    matching_run_id bigint generated always as identity primary key,
    business_date date not null,
    rule_version text not null,
    model_version text not null,
    customers_changed bigint not null,
    pairs_compared bigint not null,
    pairs_match bigint not null,
    pairs_review bigint not null,
    pairs_no_match bigint not null,
    largest_party bigint not null,
    run_at timestamptz not null default clock_timestamp(),
    check (pairs_compared = pairs_match + pairs_review + pairs_no_match)
);

comment on table identity.matching_run is 'What one run of the step compared, by band: one row a run that had something to do';
comment on column identity.matching_run.largest_party is 'Customers of the largest party after the run; an alarm looks at it';

create table identity.quality (
    business_date date not null,
    model_version text not null,
    stratum text not null,
    true_pairs bigint not null,
    resolvable_pairs bigint not null,
    resolvable_found bigint not null,
    linked_pairs bigint not null,
    linked_true bigint not null,
    review_pairs bigint not null,
    review_true bigint not null,
    primary key (business_date, model_version, stratum)
);

comment on table identity.quality is
'Pairs of customers against a known truth, where a world has one: one row a date, model and stratum, and one for all';
comment on column identity.quality.stratum is 'What two customers of one party share; wrong pairs: what misled; all';
comment on column identity.quality.resolvable_pairs is 'True pairs that share enough to be known for one party';
