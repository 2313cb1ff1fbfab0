{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('customer', 'fact.issued_on') }}", "{{ rekey('service_point', 'fact.issued_on') }}", "{{ rekey('supply_contract', 'fact.issued_on') }}"],
    indexes=[{'columns': ['customer_key']}, {'columns': ['service_point_key']}]
) }}

with row_taken_up as (
    {{ fact_rows('grid_bill_total') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.bill_id,
        {{ version_keys('customer', 'customer', 'row_taken_up.customer_id') }},
        {{ version_keys('service_point', 'service_point', 'row_taken_up.service_point_id') }},
        {{ version_keys('supply_contract', 'supply_contract', 'row_taken_up.supply_contract_id') }},
        row_taken_up.customer_id,
        row_taken_up.supply_contract_id,
        row_taken_up.service_point_id,
        row_taken_up.billing_month,
        row_taken_up.issued_on,
        row_taken_up.due_on,
        row_taken_up.bill_kind,
        row_taken_up.cancels_bill_id,
        row_taken_up.kwh,
        row_taken_up.power_factor,
        row_taken_up.amount,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('customer', 'customer', 'row_taken_up.source_system', 'row_taken_up.customer_id', 'row_taken_up.issued_on') }}
    {{ join_version('service_point', 'service_point', 'row_taken_up.source_system', 'row_taken_up.service_point_id', 'row_taken_up.issued_on') }}
    {{ join_version('supply_contract', 'supply_contract', 'row_taken_up.source_system', 'row_taken_up.supply_contract_id', 'row_taken_up.issued_on') }}
)

{{ with_taken_back('grid_bill_total', 'resolved') }}
