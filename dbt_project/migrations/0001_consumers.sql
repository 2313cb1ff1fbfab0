-- What the incremental models remember between runs. Written only by macros of dbt_project, in the transaction of the
-- model that it speaks of.
create table ops.key_override (
    source_system text not null,
    entity text not null,
    natural_key text not null,
    durable_key bigint not null check (durable_key > 0),
    reason text not null,
    recorded_at timestamptz not null default now(),
    primary key (source_system, entity, natural_key),
    unique (durable_key)
);
comment on table ops.key_override is 'Durable keys given by hand after a hash collision; permanent, rendered into the macro durable_key at compile time';

create table ops.batch_taken_up (
    consumer text not null,
    batch_id text not null,
    known_at timestamptz not null,
    taken_in text not null,
    taken_at timestamptz not null default clock_timestamp(),
    primary key (consumer, batch_id)
);
comment on table ops.batch_taken_up is 'Batches that an incremental model has taken up: one row a model (schema.name) and batch, in the transaction that took it';
comment on column ops.batch_taken_up.taken_in is 'dbt invocation that took it';

create table ops.fact_rekeyed (
    fact text not null,
    dimension text not null,
    taken_in text not null,
    rows_rekeyed bigint not null,
    rekeyed_at timestamptz not null default clock_timestamp()
);
comment on table ops.fact_rekeyed is 'Rows of a fact whose version key was set anew after a late change of a dimension: one row a fact, dimension and run';
