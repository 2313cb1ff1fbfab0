select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.account_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.customer_id,
    source_row.product_id,
    source_row.organisation_id,
    source_row.account_type,
    source_row.account_class,
    source_row.currency,
    source_row.gl_subject,
    source_row.interest_rate,
    source_row.opened_on,
    source_row.closed_on,
    source_row.matures_on,
    source_row.status,
    {{ lineage() }}
from {{ source('core_banking', 'account') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
