-- What ingestion is measured against: psql's \copy of the same rows, as UTF-8 CSV, into an equal typed table.
-- No validation, no lineage, no hash, no control total, no ledger, no index, no ANALYZE.

create table baseline.card_posting (
    posting_id bigint,
    card_no char(16),
    account_no text,
    posted_at timestamp,
    value_date date,
    amount numeric(18, 2),
    currency text,
    mcc text,
    merchant text,
    auth_code text,
    direction text,
    channel text
);

\copy baseline.card_posting from pstdin with (format csv, header)
