{{ config(entity='transformer') }}

{{ change_log('transformer') }}
