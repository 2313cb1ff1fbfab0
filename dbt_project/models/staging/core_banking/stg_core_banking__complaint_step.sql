-- The head stands in a table of its own; a step without one has no columns of it.
with header as (
    select distinct on (head.complaint_id)
        head.*
    from {{ source('core_banking', 'complaint') }} as head
    inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = head._file_id
    order by head.complaint_id, loaded.known_at desc, head._file_id desc
)

select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.complaint_id,
    source_row.step_no,
    source_row.step,
    source_row.step_at,
    source_row.employee_id,
    header.customer_id,
    header.organisation_id,
    header.employee_id as complained_employee_id,
    header.received_at,
    header.category,
    header.channel_id,
    header.severity,
    header.is_valid,
    {{ lineage() }}
from {{ source('core_banking', 'complaint_step') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
left join header on header.complaint_id = source_row.complaint_id
