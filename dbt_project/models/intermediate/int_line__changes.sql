{{ config(entity='line') }}

{{ change_log('line') }}
