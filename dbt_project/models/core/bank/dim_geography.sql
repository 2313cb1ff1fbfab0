-- Codes of the list and those that masters use. A code tells its province (its first two digits) and its prefecture (its
-- first four); what the list does not name keeps its code and the names above it. Regions that are no codes of GB/T 2260
-- (foreign sources) are members of level 'other'.
with used as (
    select region_code from {{ ref('dim_organisation') }} where region_code is not null
    union
    select region_code from {{ ref('dim_customer') }} where region_code is not null
    union
    select region_code from {{ ref('dim_service_point') }} where region_code is not null
),

region as (
    select
        coalesce(listed.region_code, used.region_code) as region_code,
        listed.region_name,
        listed.region_name_zh,
        listed.region_code is not null as is_listed
    from {{ ref('geography') }} as listed
    full join used on used.region_code = listed.region_code
),

levelled as (
    select
        *,
        case
            when region_code !~ '^[1-8][0-9]{5}$' then 'other'
            when right(region_code, 4) = '0000' then 'province'
            when right(region_code, 2) = '00' then 'prefecture'
            else 'county'
        end as region_level
    from region
)

select
    {{ durable_key('geography', "'c360'", 'levelled.region_code') }} as geography_key,
    'c360' as source_system,
    levelled.region_code,
    levelled.region_name,
    levelled.region_name_zh,
    levelled.region_level,
    case when levelled.region_level in ('prefecture', 'county') then left(levelled.region_code, 4) || '00' end as prefecture_code,
    prefecture.region_name_zh as prefecture_name_zh,
    case when levelled.region_level <> 'other' then left(levelled.region_code, 2) || '0000' end as province_code,
    province.region_name_zh as province_name_zh,
    levelled.is_listed
from levelled
left join {{ ref('geography') }} as prefecture
    on levelled.region_level in ('prefecture', 'county') and prefecture.region_code = left(levelled.region_code, 4) || '00'
left join {{ ref('geography') }} as province
    on levelled.region_level <> 'other' and province.region_code = left(levelled.region_code, 2) || '0000'
union all
select -1, 'c360', 'unknown', 'Unknown', '未知', 'unknown', null, null, null, null, false
union all
select -2, 'c360', 'not applicable', 'Not applicable', '不适用', 'not applicable', null, null, null, null, false
