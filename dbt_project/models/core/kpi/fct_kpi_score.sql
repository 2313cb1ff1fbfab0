{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='kpi_score_key',
    pre_hook="{{ take_up(after=['int_kpi_score__changes']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['kpi_score_key']}, {'columns': ['period_month']}]
) }}

with version as (
    {{ type2_versions('kpi_score') }}
)

select *
from version
where kpi_score_key > 0
