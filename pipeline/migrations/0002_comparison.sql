-- Comparisons: incremental = rebuilt (DESIGN decision 5), marts as known on a past day, marts before and after a change.
create table ops.comparison (
    comparison_id bigint generated always as identity primary key,
    kind text not null check (kind in ('rebuild', 'as_known', 'change')),
    before text not null,
    after text not null,
    code_version text not null,
    is_equal boolean not null,
    compared_at timestamptz not null default clock_timestamp(),
    compared_by text not null default session_user
);
comment on table ops.comparison is 'Two-way differences of tables: one row a comparison';
comment on column ops.comparison.kind is
'rebuild: living schemas and a rebuild from the same arrivals; as_known: a kept publication and a rebuild from what was known then; change: published marts and those of a changed project';
comment on column ops.comparison.before is 'what stood on the one side, in words';
comment on column ops.comparison.after is 'what stood on the other side, in words';
comment on column ops.comparison.code_version is 'hash over the transformations that ran';

create table ops.comparison_table (
    comparison_id bigint not null references ops.comparison,
    table_name text not null,
    rows_before bigint not null,
    rows_after bigint not null,
    rows_removed bigint not null,
    rows_added bigint not null,
    rows_changed bigint not null,
    missing text check (missing in ('before', 'after')),
    columns jsonb not null default '{}',
    primary key (comparison_id, table_name)
);
comment on table ops.comparison_table is 'What a comparison found of one table; no values';
comment on column ops.comparison_table.rows_changed is 'rows of one key that differ; 0 where the table has no key: then each is one removed and one added';
comment on column ops.comparison_table.missing is 'side on which there is no such table';
comment on column ops.comparison_table.columns is 'changed rows in which the column differs, by column; null: a column that one side does not have';
