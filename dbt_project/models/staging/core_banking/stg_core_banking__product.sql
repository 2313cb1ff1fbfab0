select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.product_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.product_name,
    source_row.product_line,
    source_row.product_category,
    source_row.currency,
    source_row.risk_level,
    source_row.is_guaranteed,
    source_row.term_months,
    source_row.launched_on,
    source_row.withdrawn_on,
    {{ lineage() }}
from {{ source('core_banking', 'product') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
