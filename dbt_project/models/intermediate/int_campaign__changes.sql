{{ config(entity='campaign') }}

{{ change_log('campaign') }}
