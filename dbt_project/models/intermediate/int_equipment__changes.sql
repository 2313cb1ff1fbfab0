{{ config(entity='equipment') }}

{{ change_log('equipment') }}
