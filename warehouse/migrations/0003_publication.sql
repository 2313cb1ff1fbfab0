-- Publications (DESIGN, decision 12): a numbered state of all marts; the pointer says which one readers see.
create table ops.publication (
    number integer not null primary key check (number >= 0),
    state text not null check (state in ('staging', 'published', 'failed', 'abandoned', 'pruned')),
    note text not null,
    business_date date,
    staged_against integer not null,
    marts integer not null default 0,
    rows_added bigint not null default 0,
    rows_closed bigint not null default 0,
    started_at timestamptz not null default now(),
    published_at timestamptz,
    actor text not null default session_user,
    message text
);
comment on table ops.publication is 'One row a publication; readers see the one that ops.publication_pointer names';
comment on column ops.publication.state is
'staging: being made, or killed on the way; published; failed; abandoned: rolled back from (or left half made) and its rows removed by a later one; pruned: too old, its rows removed';
comment on column ops.publication.staged_against is 'The publication in force whose rows it was compared with';

create table ops.publication_mart (
    number integer not null references ops.publication,
    mart text not null,
    rows_added bigint not null,
    rows_closed bigint not null,
    rows_visible bigint not null,
    seconds numeric(12, 3) not null,
    primary key (number, mart)
);
comment on table ops.publication_mart is 'What a publication changed in each of its marts';

create table ops.publication_event (
    event_id bigint generated always as identity primary key,
    action text not null check (action in ('publish', 'roll back', 'prune')),
    from_number integer not null,
    to_number integer not null,
    note text not null,
    at timestamptz not null default clock_timestamp(),
    actor text not null default session_user
);
comment on table ops.publication_event is 'Every move of the pointer and every pruning, append-only';

create table ops.publication_pointer (
    only_row boolean primary key default true check (only_row),
    number integer not null references ops.publication,
    published_at timestamptz not null,
    business_date date,
    note text not null
);
comment on table ops.publication_pointer is 'The one publication in force: one row, moved by one UPDATE';

insert into ops.publication (number, state, note, staged_against, published_at)
values (0, 'published', 'before the first publication', 0, now());
insert into ops.publication_pointer (number, published_at, note)
select number, published_at, note from ops.publication;

create view mart.publication as
select number, published_at, business_date, note
from ops.publication_pointer;
comment on view mart.publication is 'The publication in force, for the foot of every page';
