{{ config(entity='device') }}

{{ change_log('device') }}
