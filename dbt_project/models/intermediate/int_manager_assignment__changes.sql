{{ config(entity='manager_assignment') }}

{{ change_log('manager_assignment') }}
