-- A household has one meter: it is its service point, known from the day of its first reading.
select
    'sgsc' as source_system,
    {{ controller_of('sgsc') }} as controller_id,
    source_row.customer_id::text as service_point_id,
    'I' as change_flag,
    0 as change_seq,
    source_row.first_reading_on as effective_date,
    source_row.customer_id::text as customer_id,
    null as premise_address,
    null as region_code,
    null as line_id,
    null as transformer_id,
    null as voltage_level,
    null as metering_mode,
    null as opened_on,
    null as closed_on,
    'in_service' as status,
    {{ lineage() }}
from (
    select _file_id, customer_id, min(_line) as _line, (min(reading_datetime) - interval '30 minutes')::date as first_reading_on
    from {{ source('sgsc', 'interval_reading') }}
    group by _file_id, customer_id
) as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
