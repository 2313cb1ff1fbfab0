{{ config(entity='service_subscription') }}

{{ change_log('service_subscription') }}
