select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.ticket_id,
    source_row.organisation_id,
    source_row.customer_id,
    source_row.taken_at,
    source_row.called_at,
    source_row.ended_at,
    source_row.counter_no,
    source_row.recognised_level,
    {{ lineage() }}
from {{ source('core_banking', 'queue_ticket') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
