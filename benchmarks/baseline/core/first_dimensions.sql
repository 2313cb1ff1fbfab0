-- What the build of core is measured against (DESIGN, Scale): the dimensions with their history, whole, by hand.
-- The same rows as core for what the simulated sources send: in order, without corrections or deletions, which core
-- handles and this does not. Unlogged tables with the keys and indexes of those of core.
set work_mem = '1GB';

set maintenance_work_mem = '1GB';

set max_parallel_workers_per_gather = 2;

create function baseline.key(source_system text, entity text, natural_key text) returns bigint language sql stable as $$
    select ('x' || left(encode(sha256(convert_to(
        source_system || chr(31) || entity || chr(31) || natural_key, 'UTF8')), 'hex'), 16))::bit(64)::bigint
        & 9223372036854775807
$$;

create function baseline.key(source_system text, entity text, natural_key text, valid_from date) returns bigint
language sql stable as $$
    select ('x' || left(encode(sha256(convert_to(
        source_system || chr(31) || entity || chr(31) || natural_key || chr(31) || to_char(valid_from, 'YYYY-MM-DD'),
        'UTF8')), 'hex'), 16))::bit(64)::bigint & 9223372036854775807
$$;

create unlogged table baseline.dim_channel as
select baseline.key('c360', 'channel', channel_id) as channel_key, channel_id
from core.channel;

create unlogged table baseline.dim_account as
with sent as (
    select distinct on (source_system, account_id, effective_date)
        *
    from (
        select
            'core_banking' as source_system,
            'bank' as controller_id,
            account_id,
            effective_date,
            change_seq,
            customer_id,
            product_id,
            organisation_id,
            account_type,
            account_class,
            currency,
            gl_subject,
            interest_rate,
            opened_on,
            closed_on,
            matures_on,
            status,
            known_at,
            _file_id
        from raw_core_banking.account
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
    ) as feed
    order by source_system, account_id, effective_date, known_at desc, _file_id desc, change_seq desc
),

changed as (
    select
        *,
        lag(row(customer_id, product_id, organisation_id, account_type, account_class, currency, gl_subject, interest_rate, opened_on, closed_on, matures_on, status)) over history as before
    from sent
    window history as (partition by source_system, account_id order by effective_date)
),

version as (
    select
        *,
        case when before is null then date '0001-01-01' else effective_date end as valid_from,
        lead(effective_date, 1, date '9999-12-31') over history as valid_to,
        min(effective_date) over (partition by source_system, account_id) as life_from,
        greatest(known_at, lead(known_at) over history) as known_from,
        false as is_inferred
    from changed
    where before is distinct from row(customer_id, product_id, organisation_id, account_type, account_class, currency, gl_subject, interest_rate, opened_on, closed_on, matures_on, status)
    window history as (partition by source_system, account_id order by effective_date)
)

select
    baseline.key(source_system, 'account', account_id, valid_from) as account_version_key,
    baseline.key(source_system, 'account', account_id) as account_key,
    source_system,
    controller_id,
    account_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    life_from,
    known_from,
    is_inferred,
    customer_id,
    product_id,
    organisation_id,
    account_type,
    account_class,
    currency,
    gl_subject,
    interest_rate,
    opened_on,
    closed_on,
    matures_on,
    status,
    coalesce(baseline.key(source_system, 'customer', customer_id), -2) as customer_key,
    coalesce(baseline.key(source_system, 'product', product_id), -2) as product_key,
    coalesce(baseline.key(source_system, 'organisation', organisation_id), -2) as organisation_key
from version;

insert into baseline.dim_account
with referred as (
    select source_system, controller_id, account_id, min(known_at) as known_from
    from (
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.account_holder inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.standing_order inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.loan inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.account_transaction inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.account_balance inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.wealth_holding inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.wealth_trade inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.cash_pool_member inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, header_account_id as account_id, known_at
        from raw_core_banking.cash_pool inner join ops.loaded_file on file_id = _file_id
    ) as reference
    where account_id is not null
    group by source_system, controller_id, account_id
)

select
    baseline.key(source_system, 'account', account_id, date '0001-01-01'),
    baseline.key(source_system, 'account', account_id),
    source_system,
    controller_id,
    account_id,
    true,
    date '0001-01-01',
    date '9999-12-31',
    date '9999-12-31',
    date '0001-01-01',
    known_from,
    true,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    -2,
    -2,
    -2
from referred
where not exists (
    select from baseline.dim_account as known
    where known.source_system = referred.source_system and known.account_id = referred.account_id
);

alter table baseline.dim_account add primary key (account_version_key);

create index on baseline.dim_account (account_key);

create index on baseline.dim_account (source_system, account_id);

analyze baseline.dim_account;

create unlogged table baseline.dim_employee as
with sent as (
    select distinct on (source_system, employee_id, effective_date)
        *
    from (
        select
            'core_banking' as source_system,
            'bank' as controller_id,
            employee_id,
            effective_date,
            change_seq,
            employee_name,
            organisation_id,
            position,
            manager_grade,
            qualification,
            mobile,
            hired_on,
            left_on,
            known_at,
            _file_id
        from raw_core_banking.employee
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
    ) as feed
    order by source_system, employee_id, effective_date, known_at desc, _file_id desc, change_seq desc
),

changed as (
    select
        *,
        lag(row(employee_name, organisation_id, position, manager_grade, qualification, mobile, hired_on, left_on)) over history as before
    from sent
    window history as (partition by source_system, employee_id order by effective_date)
),

version as (
    select
        *,
        case when before is null then date '0001-01-01' else effective_date end as valid_from,
        lead(effective_date, 1, date '9999-12-31') over history as valid_to,
        min(effective_date) over (partition by source_system, employee_id) as life_from,
        greatest(known_at, lead(known_at) over history) as known_from,
        false as is_inferred
    from changed
    where before is distinct from row(employee_name, organisation_id, position, manager_grade, qualification, mobile, hired_on, left_on)
    window history as (partition by source_system, employee_id order by effective_date)
)

select
    baseline.key(source_system, 'employee', employee_id, valid_from) as employee_version_key,
    baseline.key(source_system, 'employee', employee_id) as employee_key,
    source_system,
    controller_id,
    employee_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    life_from,
    known_from,
    is_inferred,
    employee_name,
    organisation_id,
    position,
    manager_grade,
    qualification,
    mobile,
    hired_on,
    left_on,
    coalesce(baseline.key(source_system, 'organisation', organisation_id), -2) as organisation_key
from version;

insert into baseline.dim_employee
with referred as (
    select source_system, controller_id, employee_id, min(known_at) as known_from
    from (
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.manager_assignment inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, operator_id as employee_id, known_at
        from raw_core_banking.account_transaction inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.wealth_trade inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.contact inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.lead inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.loan_application_stage inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.complaint inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.complaint_step inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.campaign_target inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.system_usage inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, employee_no as employee_id, known_at
        from raw_grid_billing.connection_stage inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, employee_no as employee_id, known_at
        from raw_grid_billing.visit inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, employee_no as employee_id, known_at
        from raw_grid_billing.patrol inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, reviewer_no as employee_id, known_at
        from raw_grid_billing.design_document inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, verified_by as employee_id, known_at
        from raw_core_banking.financial_statement inner join ops.loaded_file on file_id = _file_id
    ) as reference
    where employee_id is not null
    group by source_system, controller_id, employee_id
)

select
    baseline.key(source_system, 'employee', employee_id, date '0001-01-01'),
    baseline.key(source_system, 'employee', employee_id),
    source_system,
    controller_id,
    employee_id,
    true,
    date '0001-01-01',
    date '9999-12-31',
    date '9999-12-31',
    date '0001-01-01',
    known_from,
    true,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    -2
from referred
where not exists (
    select from baseline.dim_employee as known
    where known.source_system = referred.source_system and known.employee_id = referred.employee_id
);

alter table baseline.dim_employee add primary key (employee_version_key);

create index on baseline.dim_employee (employee_key);

create index on baseline.dim_employee (source_system, employee_id);

analyze baseline.dim_employee;

create unlogged table baseline.dim_card as
with sent as (
    select distinct on (source_system, card_id, effective_date)
        *
    from (
        select
            'card' as source_system,
            'bank' as controller_id,
            card_id,
            effective_date,
            change_seq,
            card_no,
            card_account_id,
            cardholder_id as customer_id,
            null::text as account_id,
            card_kind,
            brand,
            card_level,
            product_id,
            is_main_card,
            issued_on,
            activated_on,
            expires_on,
            status,
            known_at,
            _file_id
        from raw_card.card
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
    ) as feed
    order by source_system, card_id, effective_date, known_at desc, _file_id desc, change_seq desc
),

changed as (
    select
        *,
        lag(row(card_no, card_account_id, customer_id, account_id, card_kind, brand, card_level, product_id, is_main_card, issued_on, activated_on, expires_on, status)) over history as before
    from sent
    window history as (partition by source_system, card_id order by effective_date)
),

version as (
    select
        *,
        case when before is null then date '0001-01-01' else effective_date end as valid_from,
        lead(effective_date, 1, date '9999-12-31') over history as valid_to,
        min(effective_date) over (partition by source_system, card_id) as life_from,
        greatest(known_at, lead(known_at) over history) as known_from,
        false as is_inferred
    from changed
    where before is distinct from row(card_no, card_account_id, customer_id, account_id, card_kind, brand, card_level, product_id, is_main_card, issued_on, activated_on, expires_on, status)
    window history as (partition by source_system, card_id order by effective_date)
)

select
    baseline.key(source_system, 'card', card_id, valid_from) as card_version_key,
    baseline.key(source_system, 'card', card_id) as card_key,
    source_system,
    controller_id,
    card_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    life_from,
    known_from,
    is_inferred,
    card_no,
    card_account_id,
    customer_id,
    account_id,
    card_kind,
    brand,
    card_level,
    product_id,
    is_main_card,
    issued_on,
    activated_on,
    expires_on,
    status,
    coalesce(baseline.key(source_system, 'card_account', card_account_id), -2) as card_account_key,
    coalesce(baseline.key(source_system, 'customer', customer_id), -2) as customer_key
from version;

insert into baseline.dim_card
with referred as (
    select source_system, controller_id, card_id, min(known_at) as known_from
    from (
        select distinct 'card' as source_system, 'bank' as controller_id, card_id, known_at
        from raw_card.posting inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_id, known_at
        from raw_card.authorisation inner join ops.loaded_file on file_id = _file_id
    ) as reference
    where card_id is not null
    group by source_system, controller_id, card_id
)

select
    baseline.key(source_system, 'card', card_id, date '0001-01-01'),
    baseline.key(source_system, 'card', card_id),
    source_system,
    controller_id,
    card_id,
    true,
    date '0001-01-01',
    date '9999-12-31',
    date '9999-12-31',
    date '0001-01-01',
    known_from,
    true,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    -2,
    -2
from referred
where not exists (
    select from baseline.dim_card as known
    where known.source_system = referred.source_system and known.card_id = referred.card_id
);

alter table baseline.dim_card add primary key (card_version_key);

create index on baseline.dim_card (card_key);

create index on baseline.dim_card (source_system, card_id);

analyze baseline.dim_card;

create unlogged table baseline.dim_card_account as
with sent as (
    select distinct on (source_system, card_account_id, effective_date)
        *
    from (
        select
            'card' as source_system,
            'bank' as controller_id,
            card_account_id,
            effective_date,
            change_seq,
            cardholder_id as customer_id,
            'core_banking' as settlement_source_system,
            settlement_account_id,
            currency,
            credit_limit,
            cycle_day,
            opened_on,
            closed_on,
            days_past_due,
            status,
            known_at,
            _file_id
        from raw_card.card_account
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
    ) as feed
    order by source_system, card_account_id, effective_date, known_at desc, _file_id desc, change_seq desc
),

changed as (
    select
        *,
        lag(row(customer_id, settlement_source_system, settlement_account_id, currency, credit_limit, cycle_day, opened_on, closed_on, days_past_due, status)) over history as before
    from sent
    window history as (partition by source_system, card_account_id order by effective_date)
),

version as (
    select
        *,
        case when before is null then date '0001-01-01' else effective_date end as valid_from,
        lead(effective_date, 1, date '9999-12-31') over history as valid_to,
        min(effective_date) over (partition by source_system, card_account_id) as life_from,
        greatest(known_at, lead(known_at) over history) as known_from,
        false as is_inferred
    from changed
    where before is distinct from row(customer_id, settlement_source_system, settlement_account_id, currency, credit_limit, cycle_day, opened_on, closed_on, days_past_due, status)
    window history as (partition by source_system, card_account_id order by effective_date)
)

select
    baseline.key(source_system, 'card_account', card_account_id, valid_from) as card_account_version_key,
    baseline.key(source_system, 'card_account', card_account_id) as card_account_key,
    source_system,
    controller_id,
    card_account_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    life_from,
    known_from,
    is_inferred,
    customer_id,
    settlement_source_system,
    settlement_account_id,
    currency,
    credit_limit,
    cycle_day,
    opened_on,
    closed_on,
    days_past_due,
    status,
    coalesce(baseline.key(source_system, 'customer', customer_id), -2) as customer_key
from version;

insert into baseline.dim_card_account
with referred as (
    select source_system, controller_id, card_account_id, min(known_at) as known_from
    from (
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.card inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.posting inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.statement inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.payment inner join ops.loaded_file on file_id = _file_id
    ) as reference
    where card_account_id is not null
    group by source_system, controller_id, card_account_id
)

select
    baseline.key(source_system, 'card_account', card_account_id, date '0001-01-01'),
    baseline.key(source_system, 'card_account', card_account_id),
    source_system,
    controller_id,
    card_account_id,
    true,
    date '0001-01-01',
    date '9999-12-31',
    date '9999-12-31',
    date '0001-01-01',
    known_from,
    true,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    -2
from referred
where not exists (
    select from baseline.dim_card_account as known
    where known.source_system = referred.source_system and known.card_account_id = referred.card_account_id
);

alter table baseline.dim_card_account add primary key (card_account_version_key);

create index on baseline.dim_card_account (card_account_key);

create index on baseline.dim_card_account (source_system, card_account_id);

analyze baseline.dim_card_account;

create unlogged table baseline.dim_service_point as
with sent as (
    select distinct on (source_system, service_point_id, effective_date)
        *
    from (
        select
            'grid_billing' as source_system,
            'grid' as controller_id,
            service_point_id,
            effective_date,
            change_seq,
            consumer_no as customer_id,
            premise_address,
            region_code,
            line_id,
            transformer_id,
            voltage_level,
            metering_mode,
            opened_on,
            closed_on,
            status,
            known_at,
            _file_id
        from raw_grid_billing.service_point
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
    ) as feed
    order by source_system, service_point_id, effective_date, known_at desc, _file_id desc, change_seq desc
),

changed as (
    select
        *,
        lag(row(customer_id, premise_address, region_code, line_id, transformer_id, voltage_level, metering_mode, opened_on, closed_on, status)) over history as before
    from sent
    window history as (partition by source_system, service_point_id order by effective_date)
),

version as (
    select
        *,
        case when before is null then date '0001-01-01' else effective_date end as valid_from,
        lead(effective_date, 1, date '9999-12-31') over history as valid_to,
        min(effective_date) over (partition by source_system, service_point_id) as life_from,
        greatest(known_at, lead(known_at) over history) as known_from,
        false as is_inferred
    from changed
    where before is distinct from row(customer_id, premise_address, region_code, line_id, transformer_id, voltage_level, metering_mode, opened_on, closed_on, status)
    window history as (partition by source_system, service_point_id order by effective_date)
)

select
    baseline.key(source_system, 'service_point', service_point_id, valid_from) as service_point_version_key,
    baseline.key(source_system, 'service_point', service_point_id) as service_point_key,
    source_system,
    controller_id,
    service_point_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    life_from,
    known_from,
    is_inferred,
    customer_id,
    premise_address,
    region_code,
    line_id,
    transformer_id,
    voltage_level,
    metering_mode,
    opened_on,
    closed_on,
    status,
    coalesce(baseline.key(source_system, 'customer', customer_id), -2) as customer_key
from version;

insert into baseline.dim_service_point
with referred as (
    select source_system, controller_id, service_point_id, min(known_at) as known_from
    from (
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.daily_reading inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.load_curve inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.bill inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.meter inner join ops.loaded_file on file_id = _file_id
    ) as reference
    where service_point_id is not null
    group by source_system, controller_id, service_point_id
)

select
    baseline.key(source_system, 'service_point', service_point_id, date '0001-01-01'),
    baseline.key(source_system, 'service_point', service_point_id),
    source_system,
    controller_id,
    service_point_id,
    true,
    date '0001-01-01',
    date '9999-12-31',
    date '9999-12-31',
    date '0001-01-01',
    known_from,
    true,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    -2
from referred
where not exists (
    select from baseline.dim_service_point as known
    where known.source_system = referred.source_system and known.service_point_id = referred.service_point_id
);

alter table baseline.dim_service_point add primary key (service_point_version_key);

create index on baseline.dim_service_point (service_point_key);

create index on baseline.dim_service_point (source_system, service_point_id);

analyze baseline.dim_service_point;

create unlogged table baseline.dim_customer as
with sent as (
    select distinct on (source_system, customer_id, effective_date)
        *
    from (
        select
            'core_banking' as source_system,
            'bank' as controller_id,
            customer_id,
            effective_date,
            change_seq,
            party_kind,
            customer_name,
            id_type,
            id_number,
            id_valid_to,
            gender,
            birth_date,
            nationality,
            mobile,
            email,
            address,
            null::text as region_code,
            occupation,
            industry_code,
            firm_size,
            registered_capital,
            legal_representative,
            customer_level,
            home_organisation_id,
            null::text as usage_class,
            null::text as importance_grade,
            null::boolean as is_large_customer,
            null::text as grid_manager_no,
            null::text as fee_account,
            opened_on,
            closed_on,
            status,
            capture_channel as capture_channel_id,
            capture_operator as capture_operator_id,
            captured_at,
            known_at,
            _file_id
        from raw_core_banking.customer
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
        union all
        select
            'card' as source_system,
            'bank' as controller_id,
            cardholder_id as customer_id,
            effective_date,
            change_seq,
            party_kind,
            cardholder_name as customer_name,
            id_type,
            id_number,
            null::date as id_valid_to,
            gender,
            birth_date,
            null::text as nationality,
            mobile,
            null::text as email,
            address,
            null::text as region_code,
            null::text as occupation,
            null::text as industry_code,
            null::text as firm_size,
            null::numeric(18,2) as registered_capital,
            null::text as legal_representative,
            null::integer as customer_level,
            null::text as home_organisation_id,
            null::text as usage_class,
            null::text as importance_grade,
            null::boolean as is_large_customer,
            null::text as grid_manager_no,
            null::text as fee_account,
            opened_on,
            null::date as closed_on,
            status,
            capture_channel as capture_channel_id,
            capture_operator as capture_operator_id,
            captured_at,
            known_at,
            _file_id
        from raw_card.cardholder
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
        union all
        select
            'grid_billing' as source_system,
            'grid' as controller_id,
            consumer_no as customer_id,
            effective_date,
            change_seq,
            consumer_kind as party_kind,
            consumer_name as customer_name,
            id_type,
            id_number,
            null::date as id_valid_to,
            null::text as gender,
            null::date as birth_date,
            null::text as nationality,
            mobile,
            null::text as email,
            address,
            null::text as region_code,
            null::text as occupation,
            industry_code,
            null::text as firm_size,
            null::numeric(18,2) as registered_capital,
            null::text as legal_representative,
            null::integer as customer_level,
            null::text as home_organisation_id,
            usage_class,
            importance_grade,
            is_large_customer,
            manager_employee_no as grid_manager_no,
            fee_account,
            opened_on,
            closed_on,
            case status when 'normal' then 'active' when 'suspended' then 'dormant' else status end as status,
            capture_channel as capture_channel_id,
            capture_operator as capture_operator_id,
            captured_at,
            known_at,
            _file_id
        from raw_grid_billing.consumer
        inner join ops.loaded_file as loaded on loaded.file_id = _file_id
    ) as feed
    order by source_system, customer_id, effective_date, known_at desc, _file_id desc, change_seq desc
),

changed as (
    select
        *,
        lag(row(party_kind, customer_name, id_type, id_number, id_valid_to, gender, birth_date, nationality, mobile, email, address, region_code, occupation, industry_code, firm_size, registered_capital, legal_representative, customer_level, home_organisation_id, usage_class, importance_grade, is_large_customer, grid_manager_no, fee_account, opened_on, closed_on, status, capture_channel_id, capture_operator_id, captured_at)) over history as before
    from sent
    window history as (partition by source_system, customer_id order by effective_date)
),

version as (
    select
        *,
        case when before is null then date '0001-01-01' else effective_date end as valid_from,
        lead(effective_date, 1, date '9999-12-31') over history as valid_to,
        min(effective_date) over (partition by source_system, customer_id) as life_from,
        greatest(known_at, lead(known_at) over history) as known_from,
        false as is_inferred
    from changed
    where before is distinct from row(party_kind, customer_name, id_type, id_number, id_valid_to, gender, birth_date, nationality, mobile, email, address, region_code, occupation, industry_code, firm_size, registered_capital, legal_representative, customer_level, home_organisation_id, usage_class, importance_grade, is_large_customer, grid_manager_no, fee_account, opened_on, closed_on, status, capture_channel_id, capture_operator_id, captured_at)
    window history as (partition by source_system, customer_id order by effective_date)
)

select
    baseline.key(source_system, 'customer', customer_id, valid_from) as customer_version_key,
    baseline.key(source_system, 'customer', customer_id) as customer_key,
    source_system,
    controller_id,
    customer_id,
    valid_to = date '9999-12-31' as is_current,
    valid_from,
    valid_to,
    valid_to as covers_to,
    life_from,
    known_from,
    is_inferred,
    party_kind,
    customer_name,
    id_type,
    id_number,
    id_valid_to,
    gender,
    birth_date,
    nationality,
    mobile,
    email,
    address,
    region_code,
    occupation,
    industry_code,
    firm_size,
    registered_capital,
    legal_representative,
    customer_level,
    home_organisation_id,
    usage_class,
    importance_grade,
    is_large_customer,
    grid_manager_no,
    fee_account,
    opened_on,
    closed_on,
    status,
    capture_channel_id,
    capture_operator_id,
    captured_at
from version;

insert into baseline.dim_customer
with referred as (
    select source_system, controller_id, customer_id, min(known_at) as known_from
    from (
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.account inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.account_holder inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.manager_assignment inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.loan inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.wealth_holding inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.wealth_trade inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.contact inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.credit_rating inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.risk_assessment inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.credit_limit inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.lead inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.loan_application_stage inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.service_subscription inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.complaint inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.campaign_target inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.queue_ticket inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.external_series inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.financial_statement inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, from_customer_id as customer_id, known_at
        from raw_core_banking.customer_relation inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, to_customer_id as customer_id, known_at
        from raw_core_banking.customer_relation inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, owner_customer_id as customer_id, known_at
        from raw_core_banking.collateral inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, guarantor_customer_id as customer_id, known_at
        from raw_core_banking.guarantee inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, cardholder_id as customer_id, known_at
        from raw_card.card_account inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, cardholder_id as customer_id, known_at
        from raw_card.card inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.service_point inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.bill inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.payment inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.arrear inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.patrol inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.visit inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.complaint inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.supply_contract inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.equipment inner join ops.loaded_file on file_id = _file_id
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.connection_project inner join ops.loaded_file on file_id = _file_id
    ) as reference
    where customer_id is not null
    group by source_system, controller_id, customer_id
)

select
    baseline.key(source_system, 'customer', customer_id, date '0001-01-01'),
    baseline.key(source_system, 'customer', customer_id),
    source_system,
    controller_id,
    customer_id,
    true,
    date '0001-01-01',
    date '9999-12-31',
    date '9999-12-31',
    date '0001-01-01',
    known_from,
    true,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null,
    null
from referred
where not exists (
    select from baseline.dim_customer as known
    where known.source_system = referred.source_system and known.customer_id = referred.customer_id
);

alter table baseline.dim_customer add primary key (customer_version_key);

create index on baseline.dim_customer (customer_key);

create index on baseline.dim_customer (source_system, customer_id);

analyze baseline.dim_customer;
