select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    source_row.disp_id::text as holder_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.account_id::text as account_id,
    source_row.client_id::text as customer_id,
    lower(source_row.type) as holder_role,
    null as share,
    {{ lineage() }}
from {{ source('berka', 'disp') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
