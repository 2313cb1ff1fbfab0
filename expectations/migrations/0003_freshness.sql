-- Whether the sources sent what they owe lands in the same table (docs/decisions/0012).
alter table ops.check_result drop constraint check_result_edge_check;
alter table ops.check_result add constraint check_result_edge_check check (edge in ('source', 'raw', 'core', 'mart'));
comment on column ops.check_result.edge is
'source: freshness of what was sent (dbt); raw, mart: Great Expectations at the edges; core: tests of the models between them (dbt)';
