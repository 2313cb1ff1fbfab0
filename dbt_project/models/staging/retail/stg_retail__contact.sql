select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.visit_id as contact_id,
    source_row.retailer_no as customer_id,
    source_row.manager_no as employee_id,
    source_row.visited_at as contacted_at,
    'visit' as contact_kind,
    source_row.purpose,
    source_row.outcome,
    source_row.has_note,
    null::text as annotated_by,
    null::timestamp as annotated_at,
    {{ lineage() }}
from {{ source('retail', 'visit') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
