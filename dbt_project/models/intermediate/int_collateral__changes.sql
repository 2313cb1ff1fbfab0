{{ config(entity='collateral') }}

{{ change_log('collateral') }}
