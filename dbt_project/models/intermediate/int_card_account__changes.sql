{{ config(entity='card_account') }}

{{ change_log('card_account') }}
