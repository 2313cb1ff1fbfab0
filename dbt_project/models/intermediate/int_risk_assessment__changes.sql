{{ config(entity='risk_assessment') }}

{{ change_log('risk_assessment') }}
