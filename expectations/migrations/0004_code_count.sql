-- How often each code stands in each file: what the codes of a new file are compared with, without reading old files again.
create table ops.code_count (
    file_id bigint not null,
    column_name text not null,
    code text not null,
    rows_counted bigint not null check (rows_counted > 0),
    primary key (file_id, column_name, code)
);

comment on table ops.code_count is 'Rows of a file by code, counted once when it is first checked; codes and magnitudes only, nothing of a person';
comment on column ops.code_count.code is 'the code; of an amount its magnitude, the exponent of ten; empty where there is none';
