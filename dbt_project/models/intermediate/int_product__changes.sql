{{ config(entity='product') }}

{{ change_log('product') }}
