select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.tariff_period_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.tariff_id,
    source_row.period,
    source_row.tier,
    source_row.month_from,
    source_row.month_to,
    source_row.time_from,
    source_row.time_to,
    source_row.kwh_from,
    source_row.kwh_to,
    source_row.price,
    {{ lineage() }}
from {{ source('grid_billing', 'tariff_period') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
