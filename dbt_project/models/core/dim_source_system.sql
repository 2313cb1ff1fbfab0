select
    source_system,
    min(business_date) as first_business_date,
    max(business_date) as last_business_date,
    max(known_at) as last_known_at
from {{ source('ops', 'loaded_file') }}
group by source_system
