-- What the build of core is measured against (DESIGN, Scale): the facts of bank and card, whole, by hand.
-- The same rows as core for what the simulated sources send: in order, without corrections or deletions, which core
-- handles and this does not. Unlogged tables with the keys and indexes of those of core.
set work_mem = '1GB';

set maintenance_work_mem = '1GB';

set max_parallel_workers_per_gather = 2;

create unlogged table baseline.fct_account_transaction as
select
    'core_banking' as source_system,
    'bank' as controller_id,
    source_row.transaction_id,
    coalesce(account.account_key, case when source_row.account_id is null then -2 else -1 end) as account_key,
    coalesce(account.account_version_key, case when source_row.account_id is null then -2 else -1 end) as account_version_key,
    coalesce(operator.employee_key, case when source_row.operator_id is null then -2 else -1 end) as operator_key,
    coalesce(operator.employee_version_key, case when source_row.operator_id is null then -2 else -1 end) as operator_version_key,
    coalesce(channel.channel_key, case when source_row.channel_id is null then -2 else -1 end) as channel_key,
    source_row.channel_id,
    source_row.account_id,
    source_row.accounting_date,
    source_row.transacted_at,
    source_row.direction,
    source_row.amount,
    source_row.currency,
    source_row.balance_after,
    source_row.transaction_type,
    source_row.transaction_type as source_type,
    true as is_documented_type,
    source_row.counterparty_account,
    source_row.counterparty_name,
    source_row.counterparty_bank,
    source_row.operator_id,
    source_row.summary,
    source_row.reverses_transaction_id,
    1::smallint as row_sign,
    source_row._file_id as file_id,
    source_row._line as line,
    loaded.business_date,
    loaded.known_at
from raw_core_banking.account_transaction as source_row
inner join ops.loaded_file as loaded on loaded.file_id = source_row._file_id
left join baseline.dim_account as account
    on account.source_system = 'core_banking' and account.account_id = source_row.account_id
    and source_row.accounting_date >= account.valid_from and source_row.accounting_date < account.covers_to
left join baseline.dim_employee as operator
    on operator.source_system = 'core_banking' and operator.employee_id = source_row.operator_id
    and source_row.accounting_date >= operator.valid_from and source_row.accounting_date < operator.covers_to
left join baseline.dim_channel as channel on channel.channel_id = source_row.channel_id;

create unique index on baseline.fct_account_transaction (transaction_id, file_id);

create index on baseline.fct_account_transaction (account_key);

create index on baseline.fct_account_transaction (accounting_date);

analyze baseline.fct_account_transaction;

create unlogged table baseline.fct_account_balance as
select
    'core_banking' as source_system,
    'bank' as controller_id,
    baseline.key('core_banking', 'account', account_id) as account_key,
    account_id,
    balance,
    currency,
    balance_date as valid_from,
    lead(balance_date, 1, date '9999-12-31') over (partition by account_id order by balance_date) as valid_to,
    _file_id as file_id,
    _line as line,
    known_at
from raw_core_banking.account_balance
inner join ops.loaded_file as loaded on loaded.file_id = _file_id;

create unique index on baseline.fct_account_balance (account_key, valid_from);

analyze baseline.fct_account_balance;

create unlogged table baseline.fct_card_transaction as
select
    'card' as source_system,
    'bank' as controller_id,
    source_row.posting_id as transaction_id,
    coalesce(card.card_key, case when source_row.card_id is null then -2 else -1 end) as card_key,
    coalesce(card.card_version_key, case when source_row.card_id is null then -2 else -1 end) as card_version_key,
    coalesce(card_account.card_account_key, case when source_row.card_account_id is null then -2 else -1 end) as card_account_key,
    coalesce(card_account.card_account_version_key, case when source_row.card_account_id is null then -2 else -1 end) as card_account_version_key,
    source_row.card_id,
    source_row.card_account_id,
    source_row.posted_on as accounting_date,
    source_row.transacted_at,
    source_row.transaction_type,
    source_row.transaction_type as source_type,
    source_row.direction,
    source_row.amount,
    source_row.currency,
    source_row.original_amount,
    source_row.original_currency,
    source_row.mcc,
    source_row.merchant_id,
    source_row.merchant_name,
    source_row.entry_mode,
    source_row.authorisation_id,
    source_row.reverses_posting_id as reverses_transaction_id,
    coalesce(source_row.is_fraud, false) as is_fraud,
    1::smallint as row_sign,
    source_row._file_id as file_id,
    source_row._line as line,
    loaded.business_date,
    loaded.known_at
from raw_card.posting as source_row
inner join ops.loaded_file as loaded on loaded.file_id = source_row._file_id
left join baseline.dim_card as card
    on card.source_system = 'card' and card.card_id = source_row.card_id
    and source_row.posted_on >= card.valid_from and source_row.posted_on < card.covers_to
left join baseline.dim_card_account as card_account
    on card_account.source_system = 'card' and card_account.card_account_id = source_row.card_account_id
    and source_row.posted_on >= card_account.valid_from and source_row.posted_on < card_account.covers_to;

create unique index on baseline.fct_card_transaction (transaction_id, file_id);

create index on baseline.fct_card_transaction (card_key);

create index on baseline.fct_card_transaction (accounting_date);

analyze baseline.fct_card_transaction;
