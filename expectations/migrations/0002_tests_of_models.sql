-- What the tests of the models between the edges found lands in the same table (DESIGN decision 14).
alter table ops.check_result drop constraint check_result_edge_check;
alter table ops.check_result add constraint check_result_edge_check check (edge in ('raw', 'core', 'mart'));
comment on column ops.check_result.edge is 'raw, mart: Great Expectations at the edges; core: tests of the models between them (dbt)';
