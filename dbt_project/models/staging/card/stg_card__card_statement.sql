select
    'card' as source_system,
    {{ controller_of('card') }} as controller_id,
    source_row.statement_id,
    source_row.card_account_id,
    source_row.cycle_start,
    source_row.cycle_end,
    source_row.due_on,
    source_row.opening_balance,
    source_row.purchases,
    source_row.payments,
    source_row.fees_and_interest,
    source_row.closing_balance,
    source_row.minimum_payment,
    {{ lineage() }}
from {{ source('card', 'statement') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
