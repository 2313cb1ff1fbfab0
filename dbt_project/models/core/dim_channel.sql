select
    {{ durable_key('channel', "'c360'", 'channel_id') }} as channel_key,
    'c360' as source_system,
    channel_id,
    channel_name,
    channel_name_zh,
    channel_kind
from {{ ref('channel') }}
union all
select -1, 'c360', 'unknown', 'Unknown', '未知', 'unknown'
union all
select -2, 'c360', 'not applicable', 'Not applicable', '不适用', 'not applicable'
