{{ config(post_hook="analyze {{ this }}") }}
{%- set figures = {
    'channel_figures': ['posting_count', 'electronic_count', 'self_service_count', 'staffed_count'],
    'contact_figures': ['contact_count', 'genuine_contact_count'],
    'lead_figures': ['lead_count', 'lead_handled_count', 'lead_won_count'],
    'complaint_figures': ['complaint_count', 'valid_complaint_count'],
    'campaign_figures': ['campaign_target_count', 'campaign_response_count'],
    'queue_figures': ['queue_ticket_count', 'queue_minutes'],
} %}

-- How each controller's parties were served in a month: channels they used, contacts, leads, complaints, campaigns, queues.
-- A contact is genuine when the customer was reached and what was said is written down (PAIN-10). Postings of a month are
-- those of who owns the account at its end.
with spine as (
    select controller_id, party_key, party_id, figures_month, as_of
    from {{ ref('fct_party_month') }}
),

channel_figures as (
    select
        activity.controller_id,
        holder.party_key,
        activity.activity_month as figures_month,
        sum(activity.posting_count * holder.share) filter (where activity.channel_kind <> 'system') as posting_count,
        sum(activity.posting_count * holder.share) filter (where activity.channel_kind = 'electronic') as electronic_count,
        sum(activity.posting_count * holder.share) filter (where activity.channel_kind = 'self_service') as self_service_count,
        sum(activity.posting_count * holder.share) filter (where activity.channel_kind = 'staffed') as staffed_count
    from {{ ref('fct_account_channel_month') }} as activity
    inner join {{ ref('bridge_account_party') }} as holder
        on holder.account_key = activity.account_key
        and holder.is_owner
        and (activity.activity_month + interval '1 month')::date > holder.valid_from
        and (activity.activity_month + interval '1 month')::date <= holder.valid_to
    group by activity.controller_id, holder.party_key, activity.activity_month
),

contact_figures as (
    select
        contact.controller_id,
        placed.party_key,
        date_trunc('month', contact.contacted_at)::date as figures_month,
        sum(contact.row_sign) as contact_count,
        sum(contact.row_sign) filter (where contact.outcome = 'reached' and contact.has_note) as genuine_contact_count
    from {{ ref('fct_contact') }} as contact
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = contact.customer_key
    group by contact.controller_id, placed.party_key, date_trunc('month', contact.contacted_at)
),

lead_figures as (
    select
        lead.controller_id,
        placed.party_key,
        date_trunc('month', lead.created_at)::date as figures_month,
        sum(lead.row_sign) as lead_count,
        sum(lead.row_sign) filter (where lead.handled_at is not null) as lead_handled_count,
        sum(lead.row_sign) filter (where lead.disposition = 'won') as lead_won_count
    from {{ ref('fct_lead') }} as lead
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = lead.customer_key
    group by lead.controller_id, placed.party_key, date_trunc('month', lead.created_at)
),

complaint_figures as (
    select
        step.controller_id,
        placed.party_key,
        date_trunc('month', step.received_at)::date as figures_month,
        sum(step.row_sign) as complaint_count,
        sum(step.row_sign) filter (where step.is_valid) as valid_complaint_count
    from {{ ref('fct_complaint_step') }} as step
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = step.customer_key
    where step.step = 'received'
    group by step.controller_id, placed.party_key, date_trunc('month', step.received_at)
),

campaign_figures as (
    select
        target.controller_id,
        placed.party_key,
        date_trunc('month', target.targeted_on)::date as figures_month,
        sum(target.row_sign) as campaign_target_count,
        sum(target.row_sign) filter (where target.responded_on is not null) as campaign_response_count
    from {{ ref('fct_campaign_target') }} as target
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = target.customer_key
    group by target.controller_id, placed.party_key, date_trunc('month', target.targeted_on)
),

queue_figures as (
    select
        ticket.controller_id,
        placed.party_key,
        date_trunc('month', ticket.taken_at)::date as figures_month,
        sum(ticket.row_sign) as queue_ticket_count,
        sum(ticket.row_sign * extract(epoch from ticket.called_at - ticket.taken_at) / 60) as queue_minutes
    from {{ ref('fct_queue_ticket') }} as ticket
    inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = ticket.customer_key
    group by ticket.controller_id, placed.party_key, date_trunc('month', ticket.taken_at)
),

-- Stacked and gathered, as in fct_party_month.
stacked_figures as (
{%- for figure, own in figures.items() %}
    select
        controller_id,
        party_key,
        figures_month
        {%- for columns in figures.values() -%}
        {%- for column in columns -%}
        , {% if column in own %}{{ column }}{% else %}null::numeric as {{ column }}{% endif %}
        {%- endfor -%}
        {%- endfor %}
    from {{ figure }}
    {%- if not loop.last %}
    union all
    {%- endif %}
{%- endfor %}
),

figures_of_month as (
    select
        controller_id,
        party_key,
        figures_month
        {%- for columns in figures.values() -%}
        {%- for column in columns -%}
        , max({{ column }}) as {{ column }}
        {%- endfor -%}
        {%- endfor %}
    from stacked_figures
    group by controller_id, party_key, figures_month
)

select
    spine.controller_id,
    spine.party_key,
    spine.party_id,
    spine.figures_month,
    spine.as_of
    {%- for columns in figures.values() -%}
    {%- for column in columns -%}
    , coalesce(figure.{{ column }}, 0)::numeric(18, 6) as {{ column }}
    {%- endfor -%}
    {%- endfor %}
from spine
left join figures_of_month as figure
    on figure.controller_id = spine.controller_id
    and figure.party_key = spine.party_key
    and figure.figures_month = spine.figures_month
