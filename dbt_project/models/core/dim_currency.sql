select
    currency_code,
    currency_name,
    currency_name_zh,
    minor_digits
from {{ ref('currency') }}
