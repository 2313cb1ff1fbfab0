{{ config(entity='brand') }}

{{ change_log('brand') }}
