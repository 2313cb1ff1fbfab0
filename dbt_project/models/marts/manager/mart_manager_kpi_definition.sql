select
    metric_id,
    metric_name,
    metric_name_zh,
    unit,
    aggregation,
    decimals,
    definition,
    definition_zh,
    'bank'::text as controller_id
from {{ ref('kpi_metric') }}
