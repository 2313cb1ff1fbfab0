select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.contact_id,
    source_row.customer_id,
    source_row.employee_id,
    source_row.contacted_at,
    source_row.contact_kind,
    source_row.purpose,
    source_row.outcome,
    coalesce(trim(source_row.note), '') <> '' as has_note,
    source_row.annotated_by,
    source_row.annotated_at,
    {{ lineage() }}
from {{ source('core_banking', 'contact') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
