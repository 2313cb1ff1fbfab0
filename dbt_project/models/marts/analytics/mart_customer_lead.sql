-- Leads by event rules (事件式商机, C360-10, C360-11): the rule that prompted each, when, who was to follow it, whether and
-- how soon he did, and whether it succeeded.
with lead as (
    select * from ({{ standing_rows('fct_lead', ['lead_id']) }}) as fact
    where fact.row_sign = 1
),

customer_now as (
    {{ customers_now() }}
),

-- A genuine contact, as elsewhere: reached, and written down.
followed as (
    select lead.source_system, lead.lead_id, min(contact.contacted_at) as contacted_at
    from lead
    inner join ({{ standing_rows('fct_contact', ['contact_id']) }}) as contact
        on contact.customer_key = lead.customer_key
        and contact.row_sign = 1
        and contact.outcome = 'reached'
        and contact.has_note
        and contact.contacted_at >= lead.created_at
        and contact.contacted_at::date
        <= lead.created_at::date + {{ party_parameter('lead_contact_days', 'lead.created_at') }}::integer
    group by lead.source_system, lead.lead_id
),

prompted as (
    select
        lead.*,
        rule.rule_name_zh,
        rule.condition as prompt,
        coalesce(lead.created_at::date + rule.days_to_handle, lead.due_on) as handle_by
    from lead
    left join {{ ref('lead_rule') }} as rule
        on rule.rule_id = lead.rule_id
        and rule.rule_version = lead.rule_version
)

select
    lead.controller_id,
    lead.source_system,
    lead.lead_id,
    customer_now.party_key,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    lead.employee_id as assigned_manager_id,
    lead.rule_id,
    lead.rule_version,
    lead.lead_kind,
    lead.rule_name_zh,
    lead.prompt,
    lead.created_at as prompted_at,
    lead.handle_by,
    lead.handled_at,
    lead.disposition,
    case
        when lead.handled_at is null and customer_now.as_of > lead.handle_by then 'overdue'
        when lead.handled_at is null then 'open'
        when lead.handled_at::date > lead.handle_by then 'handled_late'
        else 'handled'
    end as handling_state,
    case when lead.disposition <> 'open' then lead.disposition = 'won' end as is_success,
    followed.contacted_at as first_contact_at,
    (followed.contacted_at::date - lead.created_at::date)::integer as days_to_contact
from prompted as lead
inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = lead.customer_key
inner join customer_now
    on customer_now.controller_id = lead.controller_id
    and customer_now.party_key = placed.party_key
left join followed
    on followed.source_system = lead.source_system
    and followed.lead_id = lead.lead_id
