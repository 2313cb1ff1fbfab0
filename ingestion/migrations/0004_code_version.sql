alter table ops.source_file add column code_version text;

comment on column ops.source_file.code_version is 'SHA-256 over the programs of ingestion that loaded the file';
