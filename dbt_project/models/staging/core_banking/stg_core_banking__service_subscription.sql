select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.subscription_id as service_subscription_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.customer_id,
    source_row.product_id,
    source_row.channel_id,
    source_row.signed_on,
    source_row.activated_on,
    source_row.ended_on,
    source_row.status,
    {{ lineage() }}
from {{ source('core_banking', 'service_subscription') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
