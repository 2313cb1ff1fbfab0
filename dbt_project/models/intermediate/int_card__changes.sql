{{ config(entity='card') }}

{{ change_log('card') }}
