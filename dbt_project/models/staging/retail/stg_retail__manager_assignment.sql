-- The master of a retailer names the one manager who serves it.
select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.retailer_no as assignment_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.retailer_no as customer_id,
    source_row.manager_no as employee_id,
    'accountable' as assignment_role,
    1 as share,
    source_row.licensed_on as starts_on,
    source_row.closed_on as ends_on,
    {{ lineage() }}
from {{ source('retail', 'retailer') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
