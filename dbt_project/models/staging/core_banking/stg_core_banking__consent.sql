select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.consent_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.customer_id,
    source_row.purpose,
    source_row.legal_basis,
    source_row.recipient,
    source_row.text_version,
    source_row.given_on,
    source_row.withdrawn_on,
    {{ lineage() }}
from {{ source('core_banking', 'consent') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
