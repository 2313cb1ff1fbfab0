{{ config(tags=['quality'], post_hook="analyze {{ this }}") }}

-- What was judged and what passed, day by day: tables by the ledger, employees by what they recorded, and what Great
-- Expectations found. The meaning of the checks, their limits and the score that is asked stand in the seed quality_check.
with broken_row as (
    select file_id, line, rule from {{ source('quarantine', 'row') }}
    union
    select file_id, line, rule from {{ source('quarantine', 'warning') }}
),

broken_rule as (
    select
        file_id,
        {{ check_of_rule('rule') }} as check_id,
        count(distinct line) as rows_broken
    from broken_row
    group by 1, 2
),

sent_file as (
    select *
    from {{ source('ops', 'source_file') }}
    where release = 0 and received_at <= ops.known_on()
),

of_rows as (
    select
        row_check.check_id,
        sent_file.source_system,
        sent_file.table_name,
        sent_file.business_date as judged_on,
        sent_file.rows_sent as judged_count,
        sent_file.rows_sent - coalesce(broken_rule.rows_broken, 0) as passed_count
    from sent_file
    cross join (values ('required_values'), ('values_valid'), ('keys_unique'), ('rows_consistent')) as row_check (check_id)
    left join broken_rule
        on sent_file.file_id = broken_rule.file_id and row_check.check_id = broken_rule.check_id
    where sent_file.state = 'loaded'
),

of_files as (
    select
        'control_total' as check_id,
        source_system,
        table_name,
        business_date as judged_on,
        1 as judged_count,
        (
            state = 'loaded' and rows_sent = rows_loaded + rows_quarantined + rows_erased
            and amount_sent is not distinct from amount_loaded + amount_quarantined + amount_erased
        )::integer as passed_count
    from sent_file
    where state = 'loaded' or rule in ('control_rows', 'control_amount', 'control_sha256', 'counted_rows')
    union all
    select
        'delivered_on_time',
        source_system,
        table_name,
        business_date,
        (state in ('on_time', 'late', 'overdue'))::integer,
        (state = 'on_time')::integer
    from {{ source('ops', 'delivery') }}
    where state <> 'awaited'
),

of_audits as (
    select
        audit_id as check_id,
        source_system,
        table_name,
        business_date as judged_on,
        sum(case audit_id when 'sums_carried' then 1 else expected end) as judged_count,
        sum(case audit_id when 'sums_carried' then is_met::integer else least(found, expected) end) as passed_count
    from {{ ref('fct_file_audit') }}
    group by 1, 2, 3, 4
),

-- Balances in other currencies than the reporting one, and whether a rate was there to turn them into it.
of_rates as (
    select
        'currency_rated' as check_id,
        balance.source_system,
        'account_balance' as table_name,
        balance.valid_from as judged_on,
        count(*) as judged_count,
        count(rate.unit_rate) as passed_count
    from {{ ref('dim_account') }} as account
    inner join {{ ref('reporting_currency') }} as rule
        on rule.controller_id = account.controller_id and rule.reporting_currency <> account.currency
    inner join {{ ref('fct_account_balance') }} as balance
        on balance.account_key = account.account_key
        and balance.valid_from >= rule.valid_from
        and balance.valid_from < rule.valid_to
    {{ join_reporting_rate('rate', 'balance.controller_id', 'balance.currency', 'balance.valid_from') }}
    where account.is_current
    group by balance.source_system, balance.valid_from
),

of_tables as (
    select * from of_rows
    union all
    select * from of_files
    union all
    select * from of_audits
    union all
    select * from of_rates
),

limit_of as (
    select check_id, valid_from, valid_to, limit_days
    from {{ ref('quality_check') }}
),

of_contacts as (
    select
        contact.source_system,
        contact.controller_id,
        contact.employee_id,
        contact.employee_version_key,
        contact.contacted_at::date as judged_on,
        sum(contact.row_sign) as contacts,
        sum(contact.row_sign) filter (where contact.has_note) as with_text,
        sum(contact.row_sign) filter (where contact.business_date > source_system.first_business_date) as judged_for_time,
        sum(contact.row_sign) filter (
            where contact.business_date > source_system.first_business_date
                and contact.business_date <= contact.contacted_at::date + limit_of.limit_days
        ) as in_time
    from {{ ref('fct_contact') }} as contact
    inner join {{ ref('dim_source_system') }} as source_system
        on contact.source_system = source_system.source_system
    inner join limit_of
        on limit_of.check_id = 'contact_in_time'
        and contact.contacted_at >= limit_of.valid_from and contact.contacted_at < limit_of.valid_to
    group by 1, 2, 3, 4, 5
),

of_field_records as (
    select
        record.source_system,
        record.controller_id,
        record.employee_id,
        record.recorded_at::date as judged_on,
        sum(record.row_sign) as records,
        sum(record.row_sign) filter (where record.device_id is not null) as by_device,
        sum(record.row_sign) filter (
            where record.uploaded_at < record.recorded_at + make_interval(days => limit_of.limit_days)
        ) as in_time
    from {{ ref('fct_field_record') }} as record
    inner join limit_of
        on limit_of.check_id = 'field_in_time'
        and record.recorded_at >= limit_of.valid_from and record.recorded_at < limit_of.valid_to
    group by 1, 2, 3, 4
),

assessed_month as (
    {{ assessed_months() }}
),

-- Customers of a manager on the last day of a month, and whether he recorded a contact with them in it.
of_managed_customers as (
    select
        managed.source_system,
        managed.controller_id,
        managed.employee_id,
        managed.employee_key,
        assessed_month.as_of as judged_on,
        count(distinct managed.customer_key) as customers,
        count(distinct managed.customer_key) filter (where exists (
            select 1 from {{ ref('fct_contact') }} as contact
            where contact.customer_key = managed.customer_key
                and contact.employee_key = managed.employee_key
                and contact.contacted_at >= assessed_month.period_month
                and contact.contacted_at < assessed_month.ends_before
            having sum(contact.row_sign) > 0
        )) as contacted
    from assessed_month
    inner join {{ ref('bridge_party_manager') }} as managed
        on assessed_month.as_of >= managed.valid_from
        and assessed_month.as_of < managed.valid_to
    group by 1, 2, 3, 4, 5
),

-- Large customers of the grid on the last day of a month, and whether anything was taken down at theirs in it.
of_large_customers as (
    select
        customer.source_system,
        customer.controller_id,
        customer.grid_manager_no as employee_id,
        assessed_month.as_of as judged_on,
        count(*) as customers,
        count(*) filter (where exists (
            select 1 from {{ ref('fct_field_record') }} as record
            where record.customer_key = customer.customer_key
                and record.recorded_at >= assessed_month.period_month
                and record.recorded_at < assessed_month.ends_before
            having sum(record.row_sign) > 0
        )) as reached
    from assessed_month
    inner join {{ ref('dim_customer') }} as customer
        on assessed_month.as_of >= customer.valid_from
        and assessed_month.as_of < customer.valid_to
    where customer.is_large_customer and customer.grid_manager_no is not null and customer.status <> 'closed'
    group by 1, 2, 3, 4
),

of_employees as (
    select
        'contact_text' as check_id, source_system, 'contact' as table_name, controller_id, employee_id,
        employee_version_key, judged_on, contacts as judged_count, with_text as passed_count
    from of_contacts
    union all
    select
        'contact_in_time', source_system, 'contact', controller_id, employee_id,
        employee_version_key, judged_on, judged_for_time, in_time
    from of_contacts
    union all
    select
        'customer_contacted', managed.source_system, 'contact', managed.controller_id, managed.employee_id,
        employee.employee_version_key, managed.judged_on, managed.customers, managed.contacted
    from of_managed_customers as managed
    left join {{ ref('dim_employee') }} as employee
        on managed.employee_key = employee.employee_key
        and managed.judged_on >= employee.valid_from
        and managed.judged_on < employee.covers_to
    union all
    select
        'field_device', source_system, 'field_record', controller_id, employee_id, null, judged_on, records, by_device
    from of_field_records
    union all
    select
        'field_in_time', source_system, 'field_record', controller_id, employee_id, null, judged_on, records, in_time
    from of_field_records
    union all
    select
        'field_coverage', source_system, 'field_record', controller_id, employee_id, null, judged_on, customers, reached
    from of_large_customers
),

-- Of the checks at the edges only the last run of a business date counts: those before it closed the gate.
last_run as (
    select edge, business_date, max(check_result_id) as check_result_id
    from {{ source('ops', 'check_result') }}
    where checked_at <= ops.known_on()
    group by edge, business_date
),

of_edges as (
    select
        result.suite || '.' || coalesce(result.column_name, 'rows') || '.' || result.severity as check_id,
        result.table_name,
        result.business_date as judged_on,
        result.dimension,
        result.why as definition,
        coalesce(result.subjects, 1) as judged_count,
        case
            when result.success then coalesce(result.subjects, 1) - coalesce(result.unexpected, 0)
            else greatest(coalesce(result.subjects, 1) - coalesce(result.unexpected, result.subjects, 1), 0)
        end as passed_count
    from last_run
    inner join {{ source('ops', 'check_result') }} as last_result
        on last_run.check_result_id = last_result.check_result_id
    inner join {{ source('ops', 'check_result') }} as result
        on last_result.run_key = result.run_key
)

select
    of_tables.check_id,
    'table' as subject_kind,
    of_tables.source_system || '.' || of_tables.table_name as subject_id,
    of_tables.judged_on,
    of_tables.source_system,
    of_tables.table_name,
    case of_tables.source_system
        {%- for source, controller in var('controllers').items() %}
        when '{{ source }}' then '{{ controller }}'
        {%- endfor %}
    end as controller_id,
    null::text as organisation_id,
    null::text as dimension,
    null::text as definition,
    of_tables.judged_count::bigint as judged_count,
    of_tables.passed_count::bigint as passed_count
from of_tables
union all
select
    of_employees.check_id,
    'employee',
    of_employees.employee_id,
    of_employees.judged_on,
    of_employees.source_system,
    of_employees.table_name,
    of_employees.controller_id,
    employee.organisation_id,
    null,
    null,
    coalesce(of_employees.judged_count, 0),
    coalesce(of_employees.passed_count, 0)
from of_employees
left join {{ ref('dim_employee') }} as employee
    on of_employees.employee_version_key = employee.employee_version_key
    and employee.employee_key > 0
union all
select
    of_edges.check_id,
    'edge',
    of_edges.table_name,
    of_edges.judged_on,
    null,
    of_edges.table_name,
    'c360',
    null,
    of_edges.dimension,
    of_edges.definition,
    of_edges.judged_count,
    of_edges.passed_count
from of_edges
