{{ config(entity='tariff') }}

{{ change_log('tariff') }}
