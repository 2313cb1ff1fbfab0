{{ config(severity='warn') }}

-- An alarm: so many customers in one party are more likely a phone, an address or a number that many share than one
-- person or firm. Rules link at most one customer of each source; only a steward's links can go beyond.
select
    party_id,
    count(*) as customers
from {{ source('identity', 'party_source') }}
group by party_id
having count(*) > {{ var('party_customers_at_most') }}
