{{ config(entity='account') }}

{{ change_log('account') }}
