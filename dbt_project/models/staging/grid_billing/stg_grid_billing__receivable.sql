select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.bill_id,
    source_row.as_of,
    source_row.consumer_no as customer_id,
    source_row.overdue_amount,
    source_row.late_fee,
    source_row.days_overdue,
    {{ lineage() }}
from {{ source('grid_billing', 'arrear') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
