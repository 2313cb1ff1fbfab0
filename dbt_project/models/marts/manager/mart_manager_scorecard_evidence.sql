{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    tags=['results']
) }}

with runs_to_publish as (
    select runs.run_id
    from {{ source('assessment', 'run_state') }} as runs
    {% if is_incremental() %}
        where not exists (select 1 from {{ this }} as published where published.run_id = runs.run_id)
    {% endif %}
)

select
    evidence.run_id,
    evidence.owner_id as manager_id,
    evidence.metric_id,
    evidence.evidence_id,
    evidence.party_key,
    evidence.customer_id,
    evidence.customer_name_masked,
    evidence.subject_kind,
    evidence.subject_label,
    evidence.numerator::numeric(24, 6) as numerator,
    evidence.denominator::numeric(24, 6) as denominator,
    evidence.share::numeric(9, 6) as share,
    owners.organisation_id,
    owners.controller_id
from runs_to_publish
inner join {{ source('assessment', 'sealed_evidence') }} as evidence
    on runs_to_publish.run_id = evidence.run_id
inner join {{ source('assessment', 'sealed_owner') }} as owners
    on evidence.run_id = owners.run_id
    and evidence.owner_id = owners.owner_id
