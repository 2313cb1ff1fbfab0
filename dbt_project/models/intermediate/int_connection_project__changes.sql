{{ config(entity='connection_project') }}

{{ change_log('connection_project') }}
