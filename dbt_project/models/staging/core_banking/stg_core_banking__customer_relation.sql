select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.relation_id as customer_relation_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.from_customer_id,
    source_row.to_customer_id,
    source_row.to_name,
    source_row.relation_type,
    source_row.share,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('core_banking', 'customer_relation') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
