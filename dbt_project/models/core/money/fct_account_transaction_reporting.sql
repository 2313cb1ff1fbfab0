{{ config(materialized='view') }}

-- Postings with what they are worth in the reporting currency on their accounting date. A view: a posting never changes,
-- its worth follows the rates as now known.
select
    posting.source_system,
    posting.controller_id,
    posting.transaction_id,
    posting.account_key,
    posting.account_version_key,
    posting.accounting_date,
    posting.transaction_type,
    posting.direction,
    posting.amount,
    posting.currency,
    {{ in_reporting_currency('posting.amount', 'rate') }} as amount_reporting,
    rate.reporting_currency,
    rate.rate_type,
    rate.rate_date,
    posting.row_sign,
    posting.file_id,
    posting.known_at
from {{ ref('fct_account_transaction') }} as posting
{{ join_reporting_rate('rate', 'posting.controller_id', 'posting.currency', 'posting.accounting_date') }}
