{{ config(
    store_failures=true,
    fail_calc="count(*) filter (where not is_explained)"
) }}

-- Accounts and loans add up to what the general ledger says of their subject (总分核对), for each unit, currency and day. A
-- difference is explained where a row of the ledger that names unit and subject, or one of an account or loan that is
-- booked there, lies in quarantine; every difference is kept to be looked at.
with apart as (
    select
        source_system,
        controller_id,
        organisation_key,
        organisation_id,
        subject_id,
        currency,
        accounting_date,
        ledger_balance,
        sub_ledger_balance,
        difference
    from {{ ref('fct_ledger_tie_out') }}
    where difference <> 0
),

held as (
    select
        held.source_system,
        held.table_name,
        held_file.business_date,
        regexp_split_to_array(held.raw_text, '[^[:alnum:]_-]+') as words
    from {{ source('quarantine', 'row') }} as held
    inner join {{ source('ops', 'source_file') }} as held_file on held_file.file_id = held.file_id
    where held.state = 'held'
        and held.table_name in ('general_ledger', 'account', 'account_balance', 'loan')
        and exists (select 1 from apart where apart.source_system = held.source_system)
)

select
    apart.*,
    exists (
        select 1 from held
        where held.source_system = apart.source_system
            and held.table_name = 'general_ledger'
            and held.words @> array[apart.organisation_id, apart.subject_id]
            and held.business_date >= apart.accounting_date
    )
    or exists (
        select 1
        from held
        left join {{ ref('general_ledger_subject') }} as subject on subject.subject_id = apart.subject_id
        where held.source_system = apart.source_system
            and held.table_name in ('account', 'loan')
            and held.words @> array[apart.organisation_id, coalesce(subject.loan_type, apart.subject_id)]
    )
    or exists (
        select 1
        from held
        inner join lateral unnest(held.words) as named (account_id) on true
        inner join {{ ref('dim_account') }} as account
            on account.source_system = held.source_system
            and account.account_id = named.account_id
            and apart.accounting_date >= account.valid_from
            and apart.accounting_date < account.covers_to
        left join {{ ref('fct_account_balance') }} as balance
            on balance.account_key = account.account_key
            and apart.accounting_date >= balance.valid_from
            and apart.accounting_date < balance.valid_to
        where held.source_system = apart.source_system
            and held.table_name in ('account', 'account_balance')
            and coalesce(account.organisation_id, 'unknown') = apart.organisation_id
            and coalesce(account.gl_subject, 'unknown') = apart.subject_id
            and held.business_date >= coalesce(balance.valid_from, date '0001-01-01')
    )
    or exists (
        select 1
        from held
        inner join lateral unnest(held.words) as named (loan_id) on true
        inner join {{ ref('dim_loan') }} as loan
            on loan.source_system = held.source_system
            and loan.loan_id = named.loan_id
            and apart.accounting_date >= loan.valid_from
            and apart.accounting_date < loan.covers_to
        left join {{ ref('general_ledger_subject') }} as subject
            on subject.sub_ledger = 'loan' and subject.loan_type = loan.loan_type
        where held.source_system = apart.source_system
            and held.table_name = 'loan'
            and coalesce(loan.organisation_id, 'unknown') = apart.organisation_id
            and coalesce(subject.subject_id, 'unknown') = apart.subject_id
            and held.business_date >= loan.valid_from
    ) as is_explained
from apart
