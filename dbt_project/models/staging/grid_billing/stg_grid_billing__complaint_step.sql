-- The source keeps one row a complaint: its steps are that it was received and, once it is, that it was closed.
select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.complaint_id,
    step.step_no,
    source_row.consumer_no as customer_id,
    null as employee_id,
    step.step_at,
    step.step_kind,
    step.note,
    {{ lineage() }}
from {{ source('grid_billing', 'complaint') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
cross join lateral (
    values
        (1, source_row.received_at, 'received', source_row.category),
        (2, source_row.closed_at, 'closed', case when source_row.is_valid then 'valid' else 'not valid' end)
) as step (step_no, step_at, step_kind, note)
where step.step_at is not null
