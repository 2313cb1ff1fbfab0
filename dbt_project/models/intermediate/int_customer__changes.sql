{{ config(entity='customer') }}

{{ change_log('customer') }}
