select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.contract_no as supply_contract_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.consumer_no as customer_id,
    source_row.tariff_id,
    source_row.voltage_level,
    source_row.contract_capacity_kva,
    source_row.contract_demand_kw,
    source_row.late_fee_rate,
    source_row.signed_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('grid_billing', 'supply_contract') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
