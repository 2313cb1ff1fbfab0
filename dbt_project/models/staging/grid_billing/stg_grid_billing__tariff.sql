select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.tariff_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.tariff_name,
    source_row.usage_class,
    source_row.voltage_level,
    source_row.is_time_of_use,
    source_row.is_tiered,
    source_row.is_interruptible,
    source_row.basic_price_kva,
    source_row.basic_price_kw,
    source_row.power_factor_standard,
    source_row.starts_on,
    source_row.ends_on,
    {{ lineage() }}
from {{ source('grid_billing', 'tariff') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
