-- The bank sends no list of products. What its guide tells apart stands here: accounts by how often a statement is issued
-- (its fee differs), the loan, cards by type. The list is observed with each file of accounts.
with product (product_id, product_name, product_line, product_category) as (
    values
        ('POPLATEK MESICNE', 'Account, statement every month', 'deposit', 'current account'),
        ('POPLATEK TYDNE', 'Account, statement every week', 'deposit', 'current account'),
        ('POPLATEK PO OBRATU', 'Account, statement after each transaction', 'deposit', 'current account'),
        ('LOAN', 'Loan', 'loan', 'personal loan'),
        ('CARD junior', 'Junior card', 'card', 'card'),
        ('CARD classic', 'Classic card', 'card', 'card'),
        ('CARD gold', 'Gold card', 'card', 'card')
)

select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    product.product_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    product.product_name,
    product.product_line,
    product.product_category,
    'CZK' as currency,
    null as risk_level,
    null as is_guaranteed,
    null as term_months,
    null as launched_on,
    null as withdrawn_on,
    loaded.batch_id,
    loaded.file_id,
    1 as line,
    loaded.business_date,
    loaded.known_at
from product
inner join {{ source('ops', 'loaded_file') }} as loaded
    on loaded.source_system = 'berka' and loaded.table_name = 'account'
