{{ config(entity='kpi_score') }}

{{ change_log('kpi_score') }}
