{# The header of connection projects as now known: the last word on each. `touched` names the projects. #}
{% macro connection_projects(touched) -%}
    select distinct on (header.connection_project_key)
        header.*,
        supply_class.supply_class
    from {{ ref('int_connection_project__changes') }} as header
    left join {{ ref('connection_supply_class') }} as supply_class on supply_class.voltage_level = header.voltage_level
    where header.connection_project_key in (select connection_project_key from {{ touched }})
    order by
        header.connection_project_key, header.is_inferred, header.effective_date desc,
        header.known_at desc, header.file_id desc, header.change_seq desc
{%- endmacro %}

{# Stages of a connection project whose end is a milestone (ENT-126), in their order. #}
{% macro connection_milestones() -%}
    {{ return([
        'application', 'survey', 'external_plan', 'internal_plan', 'joint_review', 'plan_reply', 'design', 'drawing_review',
        'equipment_tender', 'construction', 'interim_inspection', 'completion_report', 'first_gate', 'acceptance', 'contract',
        'metering', 'energising', 'return_visit',
    ]) }}
{%- endmacro %}
