{{ config(entity='account_holder') }}

{{ change_log('account_holder') }}
