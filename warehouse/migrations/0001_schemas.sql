-- The schemas of fixed names (DESIGN, 'Rooms'). raw_<source> come with the contracts of ingestion.
create schema if not exists quarantine;
create schema if not exists identity;
create schema if not exists assessment;
create schema if not exists staging;
create schema if not exists intermediate;
create schema if not exists core;
create schema if not exists mart_build;
create schema if not exists mart_data;
create schema if not exists mart;
create schema if not exists mart_clear;

comment on schema ops is 'The ledger: batches, files, runs, checks, publications, logins, migrations';
comment on schema quarantine is 'Rows that broke a rule of their contract, with rule, file, line and raw text';
comment on schema identity is 'Events of the resolution of parties: links, merges, splits, steward decisions';
comment on schema assessment is 'Assessment runs and their sealed evidence';
comment on schema staging is 'Views of raw in the canonical shape';
comment on schema intermediate is 'Change logs and helpers between staging and core';
comment on schema core is 'The star: dim_, fct_, bridge_';
comment on schema mart_build is 'Marts as dbt builds them; no reader may use it';
comment on schema mart_data is 'Published rows of all publications kept; read through mart and mart_clear only';
comment on schema mart is 'Published marts, personal data masked; the readers'' schema';
comment on schema mart_clear is 'Published marts with clear personal data, for roles that were granted them';

revoke all on schema public from public;
