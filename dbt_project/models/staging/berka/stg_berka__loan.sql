-- Only the owner of an account may ask for a loan (guide to the data set, relation disposition), and an account has one
-- owner: so he is the borrower. B is a contract that has ended and is not paid, D one that runs and is in debt: both are
-- overdue. The monthly payments add up to the amount; rate and outstanding principal are not sent.
with account_owner as (
    select
        loaded.batch_id,
        disposition.account_id,
        min(disposition.client_id) as client_id
    from {{ source('berka', 'disp') }} as disposition
    inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = disposition._file_id
    where disposition.type = 'OWNER'
    group by loaded.batch_id, disposition.account_id
),

account as (
    select
        loaded.batch_id,
        source_row.account_id,
        source_row.district_id
    from {{ source('berka', 'account') }} as source_row
    inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
)

select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    source_row.loan_id::text as loan_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.loan_id::text as contract_no,
    source_row.account_id::text as account_id,
    account_owner.client_id::text as customer_id,
    'LOAN' as product_id,
    account.district_id::text as organisation_id,
    'consumer' as loan_type,
    source_row.amount as principal,
    null as outstanding_principal,
    'CZK' as currency,
    null as annual_rate,
    source_row.duration as term_months,
    source_row.payments as monthly_payment,
    null as guarantee_kind,
    null as five_class,
    null as days_past_due,
    source_row.date as disbursed_on,
    (source_row.date + make_interval(months => source_row.duration))::date as matures_on,
    case source_row.status
        when 'A' then 'settled'
        when 'B' then 'overdue'
        when 'C' then 'running'
        when 'D' then 'overdue'
    end as status,
    source_row.status as source_status,
    {{ lineage() }}
from {{ source('berka', 'loan') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
left join account_owner
    on account_owner.batch_id = loaded.batch_id and account_owner.account_id = source_row.account_id
left join account on account.batch_id = loaded.batch_id and account.account_id = source_row.account_id
