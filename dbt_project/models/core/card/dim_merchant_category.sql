-- The list keeps ranges of one name; each code of a range is a member.
with category as (
    select
        lpad(code::text, 4, '0') as mcc,
        listed.category_name,
        listed.category_name_zh,
        listed.category_group
    from {{ ref('merchant_category') }} as listed
    cross join lateral generate_series(listed.mcc_from::integer, listed.mcc_to::integer) as code
)

select
    {{ durable_key('merchant_category', "'c360'", 'mcc') }} as merchant_category_key,
    'c360' as source_system,
    mcc,
    category_name,
    category_name_zh,
    category_group
from category
union all
select -1, 'c360', 'unknown', 'Unknown', '未知', 'unknown'
union all
select -2, 'c360', 'not applicable', 'Not applicable', '不适用', 'not applicable'
