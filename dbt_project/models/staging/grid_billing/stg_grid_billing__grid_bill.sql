-- The header stands in a table of its own; a line without one keeps its amounts and has no header columns.
with header as (
    select distinct on (bill.bill_id)
        bill.*
    from {{ source('grid_billing', 'bill') }} as bill
    inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = bill._file_id
    order by bill.bill_id, loaded.known_at desc, bill._file_id desc
)

select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.bill_id,
    source_row.line_no,
    header.consumer_no as customer_id,
    header.contract_no,
    header.service_point_id,
    header.billing_month,
    header.issued_on,
    header.due_on,
    header.bill_kind,
    header.cancels_bill_id,
    header.power_factor,
    source_row.component,
    source_row.period,
    source_row.tier,
    source_row.quantity,
    source_row.unit,
    source_row.price,
    source_row.amount,
    {{ lineage() }}
from {{ source('grid_billing', 'bill_line') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
left join header on header.bill_id = source_row.bill_id
