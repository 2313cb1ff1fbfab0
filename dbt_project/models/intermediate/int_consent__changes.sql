{{ config(entity='consent') }}

{{ change_log('consent') }}
