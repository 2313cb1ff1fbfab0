{{ config(entity='credit_limit') }}

{{ change_log('credit_limit') }}
