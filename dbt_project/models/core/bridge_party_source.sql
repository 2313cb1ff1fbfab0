{{ config(pre_hook="{{ take_up_events() }}", post_hook="analyze {{ this }}") }}

select
    {{ durable_key('party', "'c360'", 'placed.party_id') }} as party_key,
    placed.party_id,
    customer.customer_key,
    placed.source_system,
    placed.customer_id,
    customer.controller_id,
    placed.rule,
    placed.since_known_at
from {{ source('identity', 'party_source') }} as placed
inner join {{ ref('dim_customer') }} as customer
    on customer.source_system = placed.source_system
    and customer.customer_id = placed.customer_id
    and customer.valid_from = date '0001-01-01'
