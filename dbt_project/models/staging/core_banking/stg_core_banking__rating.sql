-- A rating is sent once and holds until the next one of the customer by the same model.
select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.customer_id || chr(31) || source_row.model || chr(31)
        || case when source_row.is_provisional then 'provisional' else 'confirmed' end as rating_id,
    'U' as change_flag,
    0 as change_seq,
    source_row.rated_on as effective_date,
    source_row.rating_id as rating_no,
    source_row.customer_id,
    source_row.model,
    source_row.model_version,
    source_row.rating,
    source_row.rated_on,
    source_row.expires_on,
    source_row.is_provisional,
    {{ lineage() }}
from {{ source('core_banking', 'credit_rating') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
