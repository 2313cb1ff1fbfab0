select
    {{ durable_key('stage', "'c360'", 'stage_id') }} as stage_key,
    'c360' as source_system,
    stage_id,
    stage_no,
    stage_name,
    stage_name_zh,
    is_customer_time
from {{ ref('connection_stage') }}
union all
select -1, 'c360', 'unknown', 98::smallint, 'Unknown', '未知', false
union all
select -2, 'c360', 'not applicable', 99::smallint, 'Not applicable', '不适用', false
