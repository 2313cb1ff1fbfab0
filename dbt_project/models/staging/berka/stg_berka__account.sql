-- Who may do what with an account is in the dispositions (stg_berka__account_holder): the account itself names no client.
select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    source_row.account_id::text as account_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    null as customer_id,
    source_row.frequency as product_id,
    source_row.district_id::text as organisation_id,
    'personal_demand' as account_type,
    null as account_class,
    'CZK' as currency,
    null as gl_subject,
    null as interest_rate,
    source_row.date as opened_on,
    null as closed_on,
    null as matures_on,
    'active' as status,
    {{ lineage() }}
from {{ source('berka', 'account') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
