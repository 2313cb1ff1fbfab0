{{ config(entity='standing_order') }}

{{ change_log('standing_order') }}
