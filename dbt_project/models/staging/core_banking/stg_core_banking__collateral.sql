select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.collateral_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.loan_id,
    source_row.owner_customer_id,
    source_row.collateral_type,
    source_row.appraised_value,
    source_row.appraised_on,
    source_row.registered_no,
    source_row.released_on,
    {{ lineage() }}
from {{ source('core_banking', 'collateral') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
