select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.guarantee_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.loan_id,
    source_row.guarantor_customer_id,
    source_row.guarantee_amount,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('core_banking', 'guarantee') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
