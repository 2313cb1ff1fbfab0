select
    'grid_billing' as source_system,
    {{ controller_of('grid_billing') }} as controller_id,
    source_row.project_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.consumer_no as customer_id,
    source_row.applicant_name,
    source_row.project_kind,
    source_row.voltage_level,
    source_row.requested_capacity_kva,
    source_row.line_id,
    source_row.is_green_channel,
    source_row.leader_no as leader_id,
    source_row.applied_on,
    source_row.energised_on,
    source_row.cancelled_on,
    source_row.state,
    {{ lineage() }}
from {{ source('grid_billing', 'connection_project') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
