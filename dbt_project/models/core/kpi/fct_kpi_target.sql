{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='kpi_target_key',
    pre_hook="{{ take_up(after=['int_kpi_target__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['kpi_target_key']}, {'columns': ['period_month']}]
) }}

with version as (
    {{ type2_versions('kpi_target') }}
)

select *
from version
where kpi_target_key > 0
