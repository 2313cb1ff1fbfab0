-- Raw tables follow their files where their contract lets them (docs/decisions/0016): which columns they got that no
-- contract names, and the values that wait until somebody decides about their column.

create table ops.evolved_column (
    source_system text not null,
    table_name text not null,
    column_name text not null,
    kind text not null check (kind in ('new_column', 'changed_type')),
    sent_as text not null,
    file_id bigint not null references ops.source_file (file_id),
    primary key (source_system, table_name, column_name),
    unique (source_system, table_name, kind, sent_as)
);

comment on table ops.evolved_column is
'Columns of raw tables that a load has added, all of them text: personal until their contract classifies them';
comment on column ops.evolved_column.kind is
'new_column: the contract lacks the column; changed_type: values of a column that are not of its type';
comment on column ops.evolved_column.sent_as is 'name of the column in the file';
comment on column ops.evolved_column.file_id is 'first file that brought a value';

create table quarantine.value (
    file_id bigint not null references ops.source_file (file_id),
    line bigint not null,
    column_name text not null,
    value text not null,
    primary key (file_id, line, column_name)
);

comment on table quarantine.value is
'Values of columns that the contract lacks, of rows that are loaded without them; personal until their contract classifies them';
comment on column quarantine.value.column_name is 'name of the column in the file';

alter table ops.drift
drop constraint drift_kind_check,
add constraint drift_kind_check check (kind in ('new_column', 'lost_column', 'changed_type')),
add column kept_as text;

comment on table ops.drift is 'In what loaded files differ from their contract, and what the contract says of that';
comment on column ops.drift.column_name is 'name of the column in the file';
comment on column ops.drift.kept_as is 'column of the raw table that holds the values, where the table has evolved';

-- A contract takes up a column under the name and type that raw has given it: then the two are one. Where it says
-- something else under that name, what was sent so far steps aside as <column>__text.
create function ops.set_evolved_aside(source text, tab text, names text[], headers text[], types text[]) returns void
language plpgsql
as $$
declare
    evolved record;
    aside text;
begin
    for evolved in
        select known.column_name, known.kind
        from ops.evolved_column as known
        inner join unnest(names, headers, types) as agreed (name, header, type) on known.column_name = agreed.name
        where known.source_system = source and known.table_name = tab
            and not (known.kind = 'new_column' and known.sent_as = agreed.header and agreed.type = 'text')
    loop
        aside := left(evolved.column_name, 50) || '__text';
        while exists (
            select from pg_attribute
            where attrelid = format('%I.%I', 'raw_' || source, tab)::regclass and attname = aside
        ) loop
            aside := aside || '_';
        end loop;
        execute format('alter table %I.%I rename column %I to %I', 'raw_' || source, tab, evolved.column_name, aside);
        update ops.evolved_column set column_name = aside
        where source_system = source and table_name = tab and column_name = evolved.column_name;
    end loop;
end
$$;

comment on function ops.set_evolved_aside is
'Renames columns that a load has added and whose names a contract now gives to something else; part of the DDL of raw';
