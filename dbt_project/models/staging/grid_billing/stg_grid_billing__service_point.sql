select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.service_point_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.consumer_no as customer_id,
    source_row.premise_address,
    source_row.region_code,
    source_row.line_id,
    source_row.transformer_id,
    source_row.voltage_level,
    source_row.metering_mode,
    source_row.opened_on,
    source_row.closed_on,
    source_row.status,
    {{ lineage() }}
from {{ source('grid_billing', 'service_point') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
