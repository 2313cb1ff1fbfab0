{{ config(entity='loan') }}

{{ change_log('loan') }}
