-- What ingestion is measured against: psql's \copy of the same rows, as UTF-8 CSV, into an equal typed table.
-- No validation, no lineage, no hash, no control total, no ledger, no index, no ANALYZE.

create table baseline.account_transaction (
    transaction_id text,
    account_id text,
    accounting_date date,
    transacted_at timestamp,
    direction text,
    amount numeric(18, 2),
    currency text,
    balance_after numeric(18, 2),
    transaction_type text,
    channel_id text,
    counterparty_account text,
    counterparty_name text,
    counterparty_bank text,
    operator_id text,
    summary text,
    reverses_transaction_id text
);

\copy baseline.account_transaction from pstdin with (format csv, header)
