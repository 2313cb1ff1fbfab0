{{ config(materialized='view') }}

-- A project waits at worst the sum of the slots of its stages: each of them just missed (GT-43).
select
    stage.source_system,
    project.controller_id,
    stage.connection_project_key,
    stage.project_id,
    sum(slot.slot_days)::integer as worst_wait_days,
    count(*)::integer as slot_count,
    sum(stage.waited_working_days)::integer as waited_working_days
from {{ ref('fct_connection_stage') }} as stage
inner join {{ ref('fct_connection_project') }} as project
    on project.connection_project_key = stage.connection_project_key
inner join {{ ref('connection_slot') }} as slot
    on slot.stage_id = stage.stage_id
    and project.applied_on >= slot.valid_from
    and project.applied_on < slot.valid_to
group by stage.source_system, project.controller_id, stage.connection_project_key, stage.project_id
