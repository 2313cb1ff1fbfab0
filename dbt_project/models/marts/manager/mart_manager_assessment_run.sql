{{ config(materialized='table', tags=['results']) }}

select
    runs.run_id,
    runs.scheme_id,
    kpi_scheme.scheme_name,
    kpi_scheme.scheme_name_zh,
    runs.scheme_version_id,
    runs.period_start as period_month,
    runs.period_end,
    runs.sequence,
    runs.kind,
    runs.state,
    runs.supersedes_run_id,
    runs.publication as sealed_publication,
    runs.as_of,
    runs.known_at,
    runs.code_version,
    runs.rules_hash,
    runs.input_hash,
    runs.prepared_by,
    runs.prepared_at,
    runs.decided_by,
    runs.decided_at,
    runs.reason as decision_reason,
    'bank'::text as controller_id
from {{ source('assessment', 'run_state') }} as runs
left join {{ ref('kpi_scheme') }} as kpi_scheme
    on runs.scheme_id = kpi_scheme.scheme_id
