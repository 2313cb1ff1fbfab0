-- What the build of core is measured against (DESIGN, Scale): what one business date, `:day`, changes in the dimensions, by hand.
-- The same rows as core for what the simulated sources send: in order, without corrections or deletions, which core
-- handles and this does not. The day closes open versions and adds new ones.
set work_mem = '1GB';

set maintenance_work_mem = '1GB';

set max_parallel_workers_per_gather = 2;

with sent as (
    select distinct on (source_system, account_id)
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
        where loaded.business_date = :'day'
    ) as feed
    order by source_system, account_id, change_seq desc
),

changed as (
    select
        sent.*,
        version.account_version_key as ended_key,
        case when version.account_key is null then date '0001-01-01' else sent.effective_date end as valid_from,
        date '9999-12-31' as valid_to,
        coalesce(version.life_from, sent.effective_date) as life_from,
        sent.known_at as known_from,
        false as is_inferred
    from sent
    left join baseline.dim_account as version
        on version.source_system = sent.source_system and version.account_id = sent.account_id and version.is_current
    where version.account_key is null
        or (sent.customer_id, sent.product_id, sent.organisation_id, sent.account_type, sent.account_class, sent.currency, sent.gl_subject, sent.interest_rate, sent.opened_on, sent.closed_on, sent.matures_on, sent.status)
            is distinct from (version.customer_id, version.product_id, version.organisation_id, version.account_type, version.account_class, version.currency, version.gl_subject, version.interest_rate, version.opened_on, version.closed_on, version.matures_on, version.status)
),

ended as (
    update baseline.dim_account as version
    set is_current = false, valid_to = changed.valid_from, covers_to = changed.valid_from, known_from = changed.known_from
    from changed
    where version.account_version_key = changed.ended_key
)

insert into baseline.dim_account
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
from changed;

insert into baseline.dim_account
with referred as (
    select source_system, controller_id, account_id, min(known_at) as known_from
    from (
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.account_holder inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.standing_order inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.loan inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.account_transaction inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.account_balance inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.wealth_holding inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.wealth_trade inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, account_id, known_at
        from raw_core_banking.cash_pool_member inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, header_account_id as account_id, known_at
        from raw_core_banking.cash_pool inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
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

with sent as (
    select distinct on (source_system, employee_id)
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
        where loaded.business_date = :'day'
    ) as feed
    order by source_system, employee_id, change_seq desc
),

changed as (
    select
        sent.*,
        version.employee_version_key as ended_key,
        case when version.employee_key is null then date '0001-01-01' else sent.effective_date end as valid_from,
        date '9999-12-31' as valid_to,
        coalesce(version.life_from, sent.effective_date) as life_from,
        sent.known_at as known_from,
        false as is_inferred
    from sent
    left join baseline.dim_employee as version
        on version.source_system = sent.source_system and version.employee_id = sent.employee_id and version.is_current
    where version.employee_key is null
        or (sent.employee_name, sent.organisation_id, sent.position, sent.manager_grade, sent.qualification, sent.mobile, sent.hired_on, sent.left_on)
            is distinct from (version.employee_name, version.organisation_id, version.position, version.manager_grade, version.qualification, version.mobile, version.hired_on, version.left_on)
),

ended as (
    update baseline.dim_employee as version
    set is_current = false, valid_to = changed.valid_from, covers_to = changed.valid_from, known_from = changed.known_from
    from changed
    where version.employee_version_key = changed.ended_key
)

insert into baseline.dim_employee
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
from changed;

insert into baseline.dim_employee
with referred as (
    select source_system, controller_id, employee_id, min(known_at) as known_from
    from (
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.manager_assignment inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, operator_id as employee_id, known_at
        from raw_core_banking.account_transaction inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.wealth_trade inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.contact inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.lead inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.loan_application_stage inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.complaint inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.complaint_step inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.campaign_target inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, employee_id, known_at
        from raw_core_banking.system_usage inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, employee_no as employee_id, known_at
        from raw_grid_billing.connection_stage inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, employee_no as employee_id, known_at
        from raw_grid_billing.visit inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, employee_no as employee_id, known_at
        from raw_grid_billing.patrol inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, reviewer_no as employee_id, known_at
        from raw_grid_billing.design_document inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, verified_by as employee_id, known_at
        from raw_core_banking.financial_statement inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
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

with sent as (
    select distinct on (source_system, card_id)
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
        where loaded.business_date = :'day'
    ) as feed
    order by source_system, card_id, change_seq desc
),

changed as (
    select
        sent.*,
        version.card_version_key as ended_key,
        case when version.card_key is null then date '0001-01-01' else sent.effective_date end as valid_from,
        date '9999-12-31' as valid_to,
        coalesce(version.life_from, sent.effective_date) as life_from,
        sent.known_at as known_from,
        false as is_inferred
    from sent
    left join baseline.dim_card as version
        on version.source_system = sent.source_system and version.card_id = sent.card_id and version.is_current
    where version.card_key is null
        or (sent.card_no, sent.card_account_id, sent.customer_id, sent.account_id, sent.card_kind, sent.brand, sent.card_level, sent.product_id, sent.is_main_card, sent.issued_on, sent.activated_on, sent.expires_on, sent.status)
            is distinct from (version.card_no, version.card_account_id, version.customer_id, version.account_id, version.card_kind, version.brand, version.card_level, version.product_id, version.is_main_card, version.issued_on, version.activated_on, version.expires_on, version.status)
),

ended as (
    update baseline.dim_card as version
    set is_current = false, valid_to = changed.valid_from, covers_to = changed.valid_from, known_from = changed.known_from
    from changed
    where version.card_version_key = changed.ended_key
)

insert into baseline.dim_card
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
from changed;

insert into baseline.dim_card
with referred as (
    select source_system, controller_id, card_id, min(known_at) as known_from
    from (
        select distinct 'card' as source_system, 'bank' as controller_id, card_id, known_at
        from raw_card.posting inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_id, known_at
        from raw_card.authorisation inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
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

with sent as (
    select distinct on (source_system, card_account_id)
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
        where loaded.business_date = :'day'
    ) as feed
    order by source_system, card_account_id, change_seq desc
),

changed as (
    select
        sent.*,
        version.card_account_version_key as ended_key,
        case when version.card_account_key is null then date '0001-01-01' else sent.effective_date end as valid_from,
        date '9999-12-31' as valid_to,
        coalesce(version.life_from, sent.effective_date) as life_from,
        sent.known_at as known_from,
        false as is_inferred
    from sent
    left join baseline.dim_card_account as version
        on version.source_system = sent.source_system and version.card_account_id = sent.card_account_id and version.is_current
    where version.card_account_key is null
        or (sent.customer_id, sent.settlement_source_system, sent.settlement_account_id, sent.currency, sent.credit_limit, sent.cycle_day, sent.opened_on, sent.closed_on, sent.days_past_due, sent.status)
            is distinct from (version.customer_id, version.settlement_source_system, version.settlement_account_id, version.currency, version.credit_limit, version.cycle_day, version.opened_on, version.closed_on, version.days_past_due, version.status)
),

ended as (
    update baseline.dim_card_account as version
    set is_current = false, valid_to = changed.valid_from, covers_to = changed.valid_from, known_from = changed.known_from
    from changed
    where version.card_account_version_key = changed.ended_key
)

insert into baseline.dim_card_account
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
from changed;

insert into baseline.dim_card_account
with referred as (
    select source_system, controller_id, card_account_id, min(known_at) as known_from
    from (
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.card inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.posting inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.statement inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, card_account_id, known_at
        from raw_card.payment inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
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

with sent as (
    select distinct on (source_system, service_point_id)
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
        where loaded.business_date = :'day'
    ) as feed
    order by source_system, service_point_id, change_seq desc
),

changed as (
    select
        sent.*,
        version.service_point_version_key as ended_key,
        case when version.service_point_key is null then date '0001-01-01' else sent.effective_date end as valid_from,
        date '9999-12-31' as valid_to,
        coalesce(version.life_from, sent.effective_date) as life_from,
        sent.known_at as known_from,
        false as is_inferred
    from sent
    left join baseline.dim_service_point as version
        on version.source_system = sent.source_system and version.service_point_id = sent.service_point_id and version.is_current
    where version.service_point_key is null
        or (sent.customer_id, sent.premise_address, sent.region_code, sent.line_id, sent.transformer_id, sent.voltage_level, sent.metering_mode, sent.opened_on, sent.closed_on, sent.status)
            is distinct from (version.customer_id, version.premise_address, version.region_code, version.line_id, version.transformer_id, version.voltage_level, version.metering_mode, version.opened_on, version.closed_on, version.status)
),

ended as (
    update baseline.dim_service_point as version
    set is_current = false, valid_to = changed.valid_from, covers_to = changed.valid_from, known_from = changed.known_from
    from changed
    where version.service_point_version_key = changed.ended_key
)

insert into baseline.dim_service_point
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
from changed;

insert into baseline.dim_service_point
with referred as (
    select source_system, controller_id, service_point_id, min(known_at) as known_from
    from (
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.daily_reading inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.load_curve inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.bill inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, service_point_id, known_at
        from raw_grid_billing.meter inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
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

with sent as (
    select distinct on (source_system, customer_id)
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
        where loaded.business_date = :'day'
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
        where loaded.business_date = :'day'
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
        where loaded.business_date = :'day'
    ) as feed
    order by source_system, customer_id, change_seq desc
),

changed as (
    select
        sent.*,
        version.customer_version_key as ended_key,
        case when version.customer_key is null then date '0001-01-01' else sent.effective_date end as valid_from,
        date '9999-12-31' as valid_to,
        coalesce(version.life_from, sent.effective_date) as life_from,
        sent.known_at as known_from,
        false as is_inferred
    from sent
    left join baseline.dim_customer as version
        on version.source_system = sent.source_system and version.customer_id = sent.customer_id and version.is_current
    where version.customer_key is null
        or (sent.party_kind, sent.customer_name, sent.id_type, sent.id_number, sent.id_valid_to, sent.gender, sent.birth_date, sent.nationality, sent.mobile, sent.email, sent.address, sent.region_code, sent.occupation, sent.industry_code, sent.firm_size, sent.registered_capital, sent.legal_representative, sent.customer_level, sent.home_organisation_id, sent.usage_class, sent.importance_grade, sent.is_large_customer, sent.grid_manager_no, sent.fee_account, sent.opened_on, sent.closed_on, sent.status, sent.capture_channel_id, sent.capture_operator_id, sent.captured_at)
            is distinct from (version.party_kind, version.customer_name, version.id_type, version.id_number, version.id_valid_to, version.gender, version.birth_date, version.nationality, version.mobile, version.email, version.address, version.region_code, version.occupation, version.industry_code, version.firm_size, version.registered_capital, version.legal_representative, version.customer_level, version.home_organisation_id, version.usage_class, version.importance_grade, version.is_large_customer, version.grid_manager_no, version.fee_account, version.opened_on, version.closed_on, version.status, version.capture_channel_id, version.capture_operator_id, version.captured_at)
),

ended as (
    update baseline.dim_customer as version
    set is_current = false, valid_to = changed.valid_from, covers_to = changed.valid_from, known_from = changed.known_from
    from changed
    where version.customer_version_key = changed.ended_key
)

insert into baseline.dim_customer
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
from changed;

insert into baseline.dim_customer
with referred as (
    select source_system, controller_id, customer_id, min(known_at) as known_from
    from (
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.account inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.account_holder inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.manager_assignment inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.loan inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.wealth_holding inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.wealth_trade inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.contact inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.credit_rating inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.risk_assessment inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.credit_limit inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.lead inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.loan_application_stage inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.service_subscription inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.complaint inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.campaign_target inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.queue_ticket inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.external_series inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, customer_id, known_at
        from raw_core_banking.financial_statement inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, from_customer_id as customer_id, known_at
        from raw_core_banking.customer_relation inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, to_customer_id as customer_id, known_at
        from raw_core_banking.customer_relation inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, owner_customer_id as customer_id, known_at
        from raw_core_banking.collateral inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'core_banking' as source_system, 'bank' as controller_id, guarantor_customer_id as customer_id, known_at
        from raw_core_banking.guarantee inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, cardholder_id as customer_id, known_at
        from raw_card.card_account inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'card' as source_system, 'bank' as controller_id, cardholder_id as customer_id, known_at
        from raw_card.card inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.service_point inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.bill inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.payment inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.arrear inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.patrol inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.visit inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.complaint inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.supply_contract inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.equipment inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
        union all
        select distinct 'grid_billing' as source_system, 'grid' as controller_id, consumer_no as customer_id, known_at
        from raw_grid_billing.connection_project inner join ops.loaded_file on file_id = _file_id
        where business_date = :'day'
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
