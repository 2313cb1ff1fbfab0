{{ config(entity='cash_pool_member') }}

{{ change_log('cash_pool_member') }}
