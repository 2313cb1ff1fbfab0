-- How the rules of leads are worth their prompts (C360-10): handled and won by home organisation, rule and month.
select
    controller_id,
    coalesce(organisation_id, 'unknown') as organisation_id,
    date_trunc('month', prompted_at)::date as prompt_month,
    rule_id,
    rule_version,
    count(*)::integer as lead_count,
    (count(*) filter (where disposition <> 'open'))::integer as handled_count,
    (count(*) filter (where handling_state in ('overdue', 'handled_late')))::integer as late_count,
    (count(*) filter (where first_contact_at is not null))::integer as contacted_count,
    (count(*) filter (where is_success))::integer as won_count,
    (count(*) filter (where disposition <> 'open') / count(*)::numeric)::numeric(9, 6) as handled_rate,
    (count(*) filter (where is_success) / nullif(count(*) filter (where disposition in ('won', 'lost')), 0)::numeric)::numeric(9, 6)
        as success_rate
from {{ ref('mart_customer_lead') }}
group by controller_id, coalesce(organisation_id, 'unknown'), date_trunc('month', prompted_at), rule_id, rule_version
