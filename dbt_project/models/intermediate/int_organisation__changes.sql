{{ config(entity='organisation') }}

{{ change_log('organisation') }}
