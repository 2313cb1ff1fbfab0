-- An assessment is sent once and holds until the next one of the customer.
select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.customer_id as risk_assessment_id,
    'U' as change_flag,
    0 as change_seq,
    source_row.assessed_on as effective_date,
    source_row.assessment_id as assessment_no,
    source_row.customer_id,
    source_row.assessed_on,
    source_row.risk_level,
    source_row.expires_on,
    source_row.channel_id,
    {{ lineage() }}
from {{ source('core_banking', 'risk_assessment') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
