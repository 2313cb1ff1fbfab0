select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.bill_id,
    source_row.consumer_no as customer_id,
    source_row.contract_no as supply_contract_id,
    source_row.service_point_id,
    source_row.billing_month,
    source_row.issued_on,
    source_row.due_on,
    source_row.bill_kind,
    source_row.cancels_bill_id,
    source_row.kwh,
    source_row.power_factor,
    source_row.amount,
    {{ lineage() }}
from {{ source('grid_billing', 'bill') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
