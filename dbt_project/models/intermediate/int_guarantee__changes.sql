{{ config(entity='guarantee') }}

{{ change_log('guarantee') }}
