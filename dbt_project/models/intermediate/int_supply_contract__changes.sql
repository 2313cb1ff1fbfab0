{{ config(entity='supply_contract') }}

{{ change_log('supply_contract') }}
