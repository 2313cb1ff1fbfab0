-- The published keys of named members: sha256 over source, entity and natural key, parted by U+001F, 63 positive bits.
-- They must never change; tests/dbt holds the same list, computed by another program.
with golden (entity, source_system, natural_key, durable_key) as (
    values
    ('account', 'core_banking', '622202100000000001', 7093031286431823046),
    ('customer', 'grid_billing', '0001234567890', 8053281029575429431),
    ('customer', 'berka', '1', 2343967768766261507),
    ('party', 'c360', '张伟', 1370667675579084769)
)

select *
from golden
where durable_key <> case entity
    when 'account' then {{ durable_key('account', 'source_system', 'natural_key') }}
    when 'customer' then {{ durable_key('customer', 'source_system', 'natural_key') }}
    when 'party' then {{ durable_key('party', 'source_system', 'natural_key') }}
end
