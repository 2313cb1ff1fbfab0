{{ config(entity='kpi_target') }}

{{ change_log('kpi_target') }}
