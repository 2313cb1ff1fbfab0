select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.holding_id,
    source_row.holding_date,
    source_row.customer_id,
    source_row.account_id,
    source_row.product_id,
    source_row.quantity,
    source_row.market_value,
    source_row.currency,
    {{ lineage() }}
from {{ source('core_banking', 'wealth_holding') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
