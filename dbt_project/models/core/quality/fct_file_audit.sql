{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up(after=audited_models()) }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- What each file said and what the warehouse has of it, as it was found when the file was taken up (macros/audit.sql).
with audit (entity, audit_id, subject, file_id, expected, found) as (
    {{ file_audits() }}
)

select
    file.source_system,
    case file.source_system
        {%- for source, controller in var('controllers').items() %}
        when '{{ source }}' then '{{ controller }}'
        {%- endfor %}
    end as controller_id,
    file.table_name,
    file.business_date,
    file.batch_id,
    audit.file_id,
    audit.entity,
    audit.audit_id,
    audit.subject,
    audit.expected::numeric as expected,
    audit.found::numeric as found,
    audit.expected = audit.found as is_met
from audit
inner join {{ source('ops', 'source_file') }} as file on file.file_id = audit.file_id
