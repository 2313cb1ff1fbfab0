select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    source_row.order_id::text as order_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.account_id::text as account_id,
    source_row.bank_to as counterparty_bank,
    source_row.account_to as counterparty_account,
    source_row.amount,
    'CZK' as currency,
    case source_row.k_symbol
        when 'POJISTNE' then 'insurance'
        when 'SIPO' then 'household'
        when 'UVER' then 'loan'
        else 'other'  -- LEASING and the blank
    end as purpose,
    source_row.k_symbol as source_purpose,
    null as payee_customer_no,
    null as frequency,
    null as starts_on,
    null as ends_on,
    {{ lineage() }}
from {{ source('berka', 'order') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
