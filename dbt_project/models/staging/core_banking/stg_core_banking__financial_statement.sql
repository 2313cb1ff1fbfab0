select
    'core_banking' as source_system,
    {{ controller_of('core_banking') }} as controller_id,
    source_row.statement_id,
    source_row.version_no,
    source_row.customer_id,
    source_row.period_kind,
    source_row.period_start,
    source_row.period_end,
    source_row.currency,
    source_row.reported_sales,
    source_row.net_profit,
    source_row.total_assets,
    source_row.total_liabilities,
    source_row.audit_state,
    source_row.audit_firm,
    source_row.verification_state,
    source_row.verified_by as verifier_id,
    source_row.verified_on,
    source_row.submitted_on,
    {{ lineage() }}
from {{ source('core_banking', 'financial_statement') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
