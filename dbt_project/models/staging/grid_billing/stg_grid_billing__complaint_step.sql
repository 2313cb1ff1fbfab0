-- The source keeps one row a complaint: its steps are that it was received and, once it is, that it was closed.
select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.complaint_id,
    step.step_no,
    step.step,
    step.step_at,
    null as employee_id,
    source_row.consumer_no as customer_id,
    null as organisation_id,
    null as complained_employee_id,
    source_row.received_at,
    source_row.category,
    null as channel_id,
    null as severity,
    source_row.is_valid,
    {{ lineage() }}
from {{ source('grid_billing', 'complaint') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
cross join lateral (
    values (1, 'received', source_row.received_at), (2, 'closed', source_row.closed_at)
) as step (step_no, step, step_at)
where step.step_at is not null
