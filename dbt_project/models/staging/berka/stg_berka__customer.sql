-- birth_number is YYMMDD of birth, for women with 50 added to the month (guide to the data set, relation client). All were
-- born in the 20th century: the youngest in 1987. The bank's extract has no names, documents or addresses but the district.
with client as (
    select
        *,
        left(birth_number, 2)::integer + 1900 as birth_year,
        substr(birth_number, 3, 2)::integer as birth_month_and_sex,
        right(birth_number, 2)::integer as birth_day
    from {{ source('berka', 'client') }}
),

district as (
    select
        loaded.batch_id,
        source_row.a1 as district_id,
        source_row.a2 as district_name,
        source_row.a3 as region_name
    from {{ source('berka', 'district') }} as source_row
    inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
)

select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    client.client_id::text as customer_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    'person' as party_kind,
    null as customer_name,
    null as id_type,
    null as id_number,
    null as id_valid_to,
    case when client.birth_month_and_sex > 50 then 'F' else 'M' end as gender,
    make_date(
        client.birth_year,
        case when client.birth_month_and_sex > 50 then client.birth_month_and_sex - 50 else client.birth_month_and_sex end,
        client.birth_day
    ) as birth_date,
    null as nationality,
    null as mobile,
    null as email,
    district.district_name as address,
    district.region_name as region_code,
    null as occupation,
    null as industry_code,
    null as firm_size,
    null as registered_capital,
    null as legal_representative,
    null as customer_level,
    null as home_organisation_id,
    null as usage_class,
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
    {{ lineage('client') }}
from client
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = client._file_id
left join district on district.batch_id = loaded.batch_id and district.district_id = client.district_id
