{{ config(entity='employee') }}

{{ change_log('employee') }}
