select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.trade_id,
    source_row.customer_id,
    source_row.account_id,
    source_row.product_id,
    source_row.employee_id,
    source_row.traded_at,
    source_row.side,
    source_row.amount,
    source_row.fee,
    source_row.product_risk_level,
    source_row.customer_risk_level,
    {{ lineage() }}
from {{ source('core_banking', 'wealth_trade') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
