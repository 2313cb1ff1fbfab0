-- What the check of raw is measured against: the figures of the suites in expectations/suites/raw about one business date,
-- `:day`, by hand: each table is scanned once, and once more for each of the four reconciliations. No suite, no record of
-- results, no Data Docs.
\set powers '{1e-6,1e-5,1e-4,1e-3,1e-2,1e-1,1e0,1e1,1e2,1e3,1e4,1e5,1e6,1e7,1e8,1e9,1e10,1e11,1e12,1e13,1e14,1e15,1e16,1e17,1e18}'

set work_mem = '1GB';

set max_parallel_workers_per_gather = 2;

create temporary table batch as
select file_id, source_system, table_name, rows_loaded
from ops.source_file
where business_date = :'day' and state = 'loaded';

select 'core_banking.account', count(*) from raw_core_banking.account where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.account_balance', count(*) from raw_core_banking.account_balance where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.account_holder', count(*) from raw_core_banking.account_holder where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.campaign', count(*) from raw_core_banking.campaign where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.campaign_target', count(*) from raw_core_banking.campaign_target where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.cash_pool', count(*) from raw_core_banking.cash_pool where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.cash_pool_member', count(*) from raw_core_banking.cash_pool_member where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.collateral', count(*) from raw_core_banking.collateral where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.complaint', count(*) from raw_core_banking.complaint where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.complaint_step', count(*) from raw_core_banking.complaint_step where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.consent', count(*) from raw_core_banking.consent where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.contact', count(*) from raw_core_banking.contact where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.credit_limit', count(*) from raw_core_banking.credit_limit where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.credit_rating', count(*) from raw_core_banking.credit_rating where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.customer', count(*) from raw_core_banking.customer where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.customer_relation', count(*) from raw_core_banking.customer_relation where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.employee', count(*) from raw_core_banking.employee where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.exchange_rate', count(*) from raw_core_banking.exchange_rate where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.external_series', count(*) from raw_core_banking.external_series where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.financial_statement', count(*) from raw_core_banking.financial_statement where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.general_ledger', count(*) from raw_core_banking.general_ledger where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.guarantee', count(*) from raw_core_banking.guarantee where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.lead', count(*) from raw_core_banking.lead where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.loan', count(*) from raw_core_banking.loan where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.loan_application_stage', count(*) from raw_core_banking.loan_application_stage where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.loan_default', count(*) from raw_core_banking.loan_default where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.manager_assignment', count(*) from raw_core_banking.manager_assignment where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.manager_score', count(*) from raw_core_banking.manager_score where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.manager_target', count(*) from raw_core_banking.manager_target where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.organisation', count(*) from raw_core_banking.organisation where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.product', count(*) from raw_core_banking.product where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.queue_ticket', count(*) from raw_core_banking.queue_ticket where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.recovery', count(*) from raw_core_banking.recovery where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.repayment', count(*) from raw_core_banking.repayment where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.repayment_schedule', count(*) from raw_core_banking.repayment_schedule where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.risk_assessment', count(*) from raw_core_banking.risk_assessment where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.self_service_device', count(*) from raw_core_banking.self_service_device where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.service_subscription', count(*) from raw_core_banking.service_subscription where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.standing_order', count(*) from raw_core_banking.standing_order where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.system_usage', count(*) from raw_core_banking.system_usage where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.wealth_holding', count(*) from raw_core_banking.wealth_holding where _file_id = any(array(select file_id from batch))
union all
select 'core_banking.wealth_trade', count(*) from raw_core_banking.wealth_trade where _file_id = any(array(select file_id from batch));

select 'card.card', count(*) from raw_card.card where _file_id = any(array(select file_id from batch))
union all
select 'card.card_account', count(*) from raw_card.card_account where _file_id = any(array(select file_id from batch))
union all
select 'card.cardholder', count(*) from raw_card.cardholder where _file_id = any(array(select file_id from batch))
union all
select 'card.dispute', count(*) from raw_card.dispute where _file_id = any(array(select file_id from batch))
union all
select 'card.payment', count(*) from raw_card.payment where _file_id = any(array(select file_id from batch))
union all
select 'card.statement', count(*) from raw_card.statement where _file_id = any(array(select file_id from batch));

select 'grid_billing.arrear', count(*) from raw_grid_billing.arrear where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.bill_line', count(*) from raw_grid_billing.bill_line where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.complaint', count(*) from raw_grid_billing.complaint where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.connection_project', count(*) from raw_grid_billing.connection_project where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.connection_stage', count(*) from raw_grid_billing.connection_stage where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.consent', count(*) from raw_grid_billing.consent where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.consumer', count(*) from raw_grid_billing.consumer where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.design_document', count(*) from raw_grid_billing.design_document where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.equipment', count(*) from raw_grid_billing.equipment where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.line', count(*) from raw_grid_billing.line where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.line_capacity_month', count(*) from raw_grid_billing.line_capacity_month where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.load_curve', count(*) from raw_grid_billing.load_curve where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.meter', count(*) from raw_grid_billing.meter where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.patrol', count(*) from raw_grid_billing.patrol where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.service_point', count(*) from raw_grid_billing.service_point where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.supply_contract', count(*) from raw_grid_billing.supply_contract where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.tariff', count(*) from raw_grid_billing.tariff where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.tariff_period', count(*) from raw_grid_billing.tariff_period where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.transformer', count(*) from raw_grid_billing.transformer where _file_id = any(array(select file_id from batch))
union all
select 'grid_billing.visit', count(*) from raw_grid_billing.visit where _file_id = any(array(select file_id from batch));

with combination as (
    select transaction_type, channel_id, direction, width_bucket(abs(nullif(amount, 0)), :'powers'::numeric[]) - 7 as amount_magnitude, count(*) as rows_counted
    from raw_core_banking.account_transaction
    where _file_id = any(array(select file_id from batch))
    group by 1, 2, 3, 4
)
select transaction_type, channel_id, direction, amount_magnitude, sum(rows_counted)
from combination
group by grouping sets ((transaction_type), (channel_id), (direction), (amount_magnitude), ());

with combination as (
    select transaction_type, entry_mode, mcc, width_bucket(abs(nullif(amount, 0)), :'powers'::numeric[]) - 7 as amount_magnitude, count(*) as rows_counted
    from raw_card.posting
    where _file_id = any(array(select file_id from batch))
    group by 1, 2, 3, 4
)
select transaction_type, entry_mode, mcc, amount_magnitude, sum(rows_counted)
from combination
group by grouping sets ((transaction_type), (entry_mode), (mcc), (amount_magnitude), ());

with combination as (
    select entry_mode, response_code, width_bucket(abs(nullif(amount, 0)), :'powers'::numeric[]) - 7 as amount_magnitude, count(*) as rows_counted
    from raw_card.authorisation
    where _file_id = any(array(select file_id from batch))
    group by 1, 2, 3
)
select entry_mode, response_code, amount_magnitude, sum(rows_counted)
from combination
group by grouping sets ((entry_mode), (response_code), (amount_magnitude), ());

with combination as (
    select quality, width_bucket(abs(nullif(kwh, 0)), :'powers'::numeric[]) - 7 as kwh_magnitude, count(*) as rows_counted
    from raw_grid_billing.daily_reading
    where _file_id = any(array(select file_id from batch))
    group by 1, 2
)
select quality, kwh_magnitude, sum(rows_counted)
from combination
group by grouping sets ((quality), (kwh_magnitude), ());

with combination as (
    select channel_id, width_bucket(abs(nullif(amount, 0)), :'powers'::numeric[]) - 7 as amount_magnitude, count(*) as rows_counted
    from raw_grid_billing.payment
    where _file_id = any(array(select file_id from batch))
    group by 1, 2
)
select channel_id, amount_magnitude, sum(rows_counted)
from combination
group by grouping sets ((channel_id), (amount_magnitude), ());

with combination as (
    select bill_kind, width_bucket(abs(nullif(amount, 0)), :'powers'::numeric[]) - 7 as amount_magnitude, count(*) as rows_counted
    from raw_grid_billing.bill
    where _file_id = any(array(select file_id from batch))
    group by 1, 2
)
select bill_kind, amount_magnitude, sum(rows_counted)
from combination
group by grouping sets ((bill_kind), (amount_magnitude), ());

select count(*), count(posting.transaction_id), sum(payment.amount), sum(abs(payment.amount - posting.amount))
from (
    select bank_transaction_id, sum(amount) as amount
    from raw_grid_billing.payment
    where bank_transaction_id is not null and _file_id = any(array(select file_id from batch))
    group by bank_transaction_id
) as payment
left join raw_core_banking.account_transaction as posting
    on posting.transaction_id = payment.bank_transaction_id and posting.transaction_type = 'bill_payment'
    and posting._file_id = any(array(select file_id from batch));

select count(*), count(*) filter (where bill.amount = line.amount)
from raw_grid_billing.bill
left join (
    select bill_id, sum(amount) as amount
    from raw_grid_billing.bill_line
    where _file_id = any(array(select file_id from batch))
    group by bill_id
) as line on line.bill_id = bill.bill_id
where bill._file_id = any(array(select file_id from batch));

select count(*), count(*) filter (where balance.balance = posting.balance_after)
from raw_core_banking.account_balance as balance
inner join (
    select distinct on (account_id, accounting_date) account_id, accounting_date, balance_after
    from raw_core_banking.account_transaction
    where accounting_date > date :'day' - 3 and _file_id = any(array(select file_id from batch))
    order by account_id, accounting_date, transacted_at desc, _line desc
) as posting on posting.account_id = balance.account_id and posting.accounting_date = balance.balance_date
where balance.balance_date > date :'day' - 3 and balance._file_id = any(array(select file_id from batch));

select sum(postings), sum(least(postings, coalesce(payments, 0)))
from (
    select account_id, amount, count(*) as postings
    from raw_core_banking.account_transaction
    where transaction_type = 'card_repayment' and reverses_transaction_id is null
        and _file_id = any(array(select file_id from batch))
    group by account_id, amount
) as posting
left join (
    select source_account, amount, count(*) as payments
    from raw_card.payment
    where _file_id = any(array(select file_id from batch))
    group by source_account, amount
) as payment on payment.source_account = posting.account_id and payment.amount = posting.amount;
