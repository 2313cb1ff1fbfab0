{{ config(entity='rating') }}

{{ change_log('rating') }}
