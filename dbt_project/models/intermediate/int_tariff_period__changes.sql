{{ config(entity='tariff_period') }}

{{ change_log('tariff_period') }}
