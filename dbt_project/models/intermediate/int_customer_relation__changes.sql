{{ config(entity='customer_relation') }}

{{ change_log('customer_relation') }}
