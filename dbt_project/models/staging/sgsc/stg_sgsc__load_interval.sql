-- reading_datetime is read as the end of the half-hour, as Australian meter data have it (AEMO meter data file format
-- NEM12); the file itself does not say. Its clock is local standard time all year: no half-hour is missing or doubled where
-- daylight saving begins and ends. Two households took part in events of the trial (event_key, 141 readings); household
-- and time alone are unique.
select
    'sgsc' as source_system,
    {{ controller_of('sgsc') }} as controller_id,
    source_row.customer_id::text as service_point_id,
    source_row.customer_id::text as meter_id,
    (source_row.reading_datetime - interval '30 minutes')::date as reading_date,
    source_row.reading_datetime - interval '30 minutes' as interval_start,
    30 as interval_minutes,
    source_row.general_supply_kwh as kwh,
    source_row.controlled_load_kwh,
    source_row.gross_generation_kwh,
    source_row.net_generation_kwh,
    source_row.other_kwh,
    'actual' as quality,
    {{ lineage() }}
from {{ source('sgsc', 'interval_reading') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
