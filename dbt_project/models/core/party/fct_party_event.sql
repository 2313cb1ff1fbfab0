{{ config(post_hook="analyze {{ this }}") }}

-- Everything that happened to a party, from all departments: what the timeline shows, without single postings and readings.
with account_event as (
    select
        controller_id,
        source_system,
        'account_' || event_type as event_kind,
        account_id || coalesce('/' || contact_id, '') as event_id,
        customer_key,
        event_date as event_on,
        null::timestamp as event_at,
        account_type as subject,
        null::text as outcome,
        null::numeric(18, 2) as amount,
        null::bigint as file_id,
        null::bigint as line
    from {{ ref('fct_account_event') }}
),

loan_paid_out as (
    select
        controller_id,
        source_system,
        'loan_paid_out' as event_kind,
        loan_id as event_id,
        customer_key,
        disbursed_on as event_on,
        null::timestamp as event_at,
        loan_type as subject,
        null::text as outcome,
        principal::numeric(18, 2) as amount,
        null::bigint as file_id,
        null::bigint as line
    from {{ ref('dim_loan') }}
    where is_current and disbursed_on is not null and not is_inferred
),

loan_defaulted as (
    select
        fact.controller_id,
        fact.source_system,
        'loan_default' as event_kind,
        fact.default_id as event_id,
        loan.customer_key,
        fact.defaulted_on as event_on,
        null::timestamp as event_at,
        loan.loan_type as subject,
        case when fact.cured_on is null then 'open' else 'cured' end as outcome,
        fact.exposure::numeric(18, 2) as amount,
        fact.file_id,
        fact.line
    from ({{ standing_rows('fct_default', ['default_id']) }}) as fact
    inner join {{ ref('dim_loan') }} as loan on loan.loan_version_key = fact.loan_version_key
),

card_issued as (
    select
        controller_id,
        source_system,
        'card_issued' as event_kind,
        card_id as event_id,
        customer_key,
        issued_on as event_on,
        null::timestamp as event_at,
        concat_ws(' ', card_kind, card_level) as subject,
        null::text as outcome,
        null::numeric(18, 2) as amount,
        null::bigint as file_id,
        null::bigint as line
    from {{ ref('dim_card') }}
    where is_current and issued_on is not null and not is_inferred
),

{%- set facts = [
    ('wealth_trade', 'fct_wealth_trade', ['trade_id'], 'fact.trade_id', 'fact.traded_at', 'fact.product_risk_level', 'fact.side', 'fact.amount'),
    ('contact', 'fct_contact', ['contact_id'], 'fact.contact_id', 'fact.contacted_at', "concat_ws(' ', fact.contact_kind, fact.purpose)", 'fact.outcome', 'null'),
    ('lead', 'fct_lead', ['lead_id'], 'fact.lead_id', 'fact.created_at', 'fact.lead_kind', 'fact.disposition', 'null'),
    ('complaint', 'fct_complaint_step', ['complaint_id', 'step_no'], "fact.complaint_id || '/' || fact.step_no", 'fact.step_at', 'fact.category', 'fact.step', 'null'),
    ('campaign', 'fct_campaign_target', ['campaign_id', 'customer_id'], "fact.campaign_id || '/' || fact.customer_id", 'fact.targeted_on::timestamp', 'fact.campaign_id', 'fact.outcome', 'fact.amount'),
    ('queue_ticket', 'fct_queue_ticket', ['ticket_id'], 'fact.ticket_id', 'fact.taken_at', 'fact.counter_no', 'null', 'null'),
    ('grid_bill', 'fct_grid_bill_total', ['bill_id'], 'fact.bill_id', 'fact.issued_on::timestamp', 'fact.bill_kind', 'null', 'fact.amount'),
    ('grid_payment', 'fct_grid_payment', ['payment_id'], 'fact.payment_id', 'fact.paid_at', 'fact.channel_id', 'null', 'fact.amount'),
    ('field_record', 'fct_field_record', ['record_kind', 'record_id'], "fact.record_kind || '/' || fact.record_id", 'fact.recorded_at', 'fact.record_kind', 'fact.finding', 'null'),
] %}
{%- for kind, model, grain, id, at, subject, outcome, amount in facts %}

{{ kind }} as (
    select
        fact.controller_id,
        fact.source_system,
        '{{ kind }}' as event_kind,
        {{ id }} as event_id,
        fact.customer_key,
        ({{ at }})::date as event_on,
        {{ at }} as event_at,
        {{ subject }} as subject,
        {{ outcome }}::text as outcome,
        {{ amount }}::numeric(18, 2) as amount,
        fact.file_id,
        fact.line
    from ({{ standing_rows(model, grain) }}) as fact
),
{%- endfor %}

connection as (
    select
        fact.controller_id,
        fact.source_system,
        'connection' as event_kind,
        fact.project_id || '/' || fact.event_no as event_id,
        project.customer_key,
        fact.event_at::date as event_on,
        fact.event_at,
        fact.stage_id as subject,
        fact.event as outcome,
        null::numeric(18, 2) as amount,
        fact.file_id,
        fact.line
    from ({{ standing_rows('fct_connection_event', ['project_id', 'event_no']) }}) as fact
    inner join {{ ref('fct_connection_project') }} as project
        on project.connection_project_key = fact.connection_project_key
),

event_of_customer as (
    select * from account_event
    union all
    select * from loan_paid_out
    union all
    select * from loan_defaulted
    union all
    select * from card_issued
    union all
    select * from connection
{%- for kind, _, _, _, _, _, _, _ in facts %}
    union all
    select * from {{ kind }}
{%- endfor %}
),

manager_changed as (
    select
        controller_id,
        source_system,
        'manager' as event_kind,
        assignment_id || '/' || customer_id as event_id,
        party_key,
        valid_from as event_on,
        null::timestamp as event_at,
        employee_id as subject,
        assignment_role as outcome,
        null::numeric(18, 2) as amount,
        null::bigint as file_id,
        null::bigint as line
    from (
        select distinct on (controller_id, party_key, assignment_id) *
        from {{ ref('bridge_party_manager') }}
        order by controller_id, party_key, assignment_id, valid_from
    ) as assignment
),

tier_changed as (
    select
        controller_id,
        'c360' as source_system,
        'tier_' || tier_change as event_kind,
        tier_scheme || '/' || to_char(figures_month, 'YYYY-MM') as event_id,
        party_key,
        as_of as event_on,
        null::timestamp as event_at,
        concat_ws(' → ', tier_before, tier_id) as subject,
        change_cause as outcome,
        measured_amount as amount,
        null::bigint as file_id,
        null::bigint as line
    from {{ ref('fct_party_tier_month') }}
    where tier_change in ('upgrade', 'downgrade')
)

select
    event.controller_id,
    placed.party_key,
    placed.party_id,
    event.source_system,
    event.event_kind,
    event.event_id,
    event.event_on,
    event.event_at,
    event.subject,
    event.outcome,
    event.amount,
    event.file_id,
    event.line
from event_of_customer as event
inner join {{ ref('bridge_party_source') }} as placed on placed.customer_key = event.customer_key
union all
select
    event.controller_id,
    event.party_key,
    party.party_id,
    event.source_system,
    event.event_kind,
    event.event_id,
    event.event_on,
    event.event_at,
    event.subject,
    event.outcome,
    event.amount,
    event.file_id,
    event.line
from (
    select * from manager_changed
    union all
    select * from tier_changed
) as event
inner join {{ ref('dim_party') }} as party on party.party_key = event.party_key and party.is_current
