{{ config(materialized='view') }}

-- The first gate looks at the papers of completion, the second at the work; the second looks over the first (CTL-18). A gate
-- that was sent back is passed by who ended it last.
select
    first_gate.source_system,
    first_gate.controller_id,
    first_gate.connection_project_key,
    first_gate.project_id,
    first_gate.employee_id as first_gate_by,
    first_gate.ended_at as first_gate_at,
    second_gate.employee_id as second_gate_by,
    second_gate.ended_at as second_gate_at,
    first_gate.ended_at is not null and second_gate.ended_at is not null as are_both_passed,
    first_gate.ended_at <= second_gate.started_at as are_in_order,
    first_gate.employee_id <> second_gate.employee_id as are_by_two,
    coalesce(
        first_gate.ended_at <= second_gate.started_at
        and second_gate.ended_at is not null
        and first_gate.employee_id <> second_gate.employee_id,
        false
    ) as is_rule_kept
from {{ ref('fct_connection_stage') }} as first_gate
left join {{ ref('fct_connection_stage') }} as second_gate
    on second_gate.connection_project_key = first_gate.connection_project_key
    and second_gate.stage_id = 'acceptance'
where first_gate.stage_id = 'first_gate'
