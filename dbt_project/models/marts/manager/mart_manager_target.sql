select
    kpi_id,
    owner_kind,
    owner_id,
    period_month,
    target_value,
    unit,
    kpi_target_id as target_id,
    set_by,
    approved_by,
    valid_from as in_force_from,
    controller_id
from {{ ref('fct_kpi_target') }}
where is_current
