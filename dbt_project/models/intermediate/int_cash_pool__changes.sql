{{ config(entity='cash_pool') }}

{{ change_log('cash_pool') }}
