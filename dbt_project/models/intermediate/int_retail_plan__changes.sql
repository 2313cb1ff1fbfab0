{{ config(entity='retail_plan') }}

{{ change_log('retail_plan') }}
