select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.payment_id,
    source_row.consumer_no as customer_id,
    source_row.bill_id,
    source_row.paid_at,
    source_row.amount,
    source_row.channel_id,
    case when source_row.bank_transaction_id is not null then 'core_banking' end as bank_source_system,
    source_row.bank_account as bank_account_id,
    source_row.bank_transaction_id,
    {{ lineage() }}
from {{ source('grid_billing', 'payment') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
