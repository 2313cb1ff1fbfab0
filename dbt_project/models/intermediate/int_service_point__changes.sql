{{ config(entity='service_point') }}

{{ change_log('service_point') }}
