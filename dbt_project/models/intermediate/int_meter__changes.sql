{{ config(entity='meter') }}

{{ change_log('meter') }}
