-- The trial sends readings only: a household is known from its readings, from the day of its first one.
select
    'sgsc' as source_system,
    {{ controller_of('sgsc') }} as controller_id,
    source_row.customer_id::text as customer_id,
    'I' as change_flag,
    0 as change_seq,
    source_row.first_reading_on as effective_date,
    'person' as party_kind,
    null as customer_name,
    null as id_type,
    null as id_number,
    null as id_valid_to,
    null as gender,
    null as birth_date,
    null as nationality,
    null as mobile,
    null as email,
    null as address,
    null as region_code,
    null as occupation,
    null as industry_code,
    null as firm_size,
    null as registered_capital,
    null as legal_representative,
    null as customer_level,
    null as home_organisation_id,
    'residential' as usage_class,
    null as importance_grade,
    null as is_large_customer,
    null as grid_manager_no,
    null as fee_account,
    null as opened_on,
    null as closed_on,
    'active' as status,
    null as capture_channel_id,
    null as capture_operator_id,
    null as captured_at,
    {{ lineage() }}
from (
    select _file_id, customer_id, min(_line) as _line, (min(reading_datetime) - interval '30 minutes')::date as first_reading_on
    from {{ source('sgsc', 'interval_reading') }}
    group by _file_id, customer_id
) as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
