-- Where customers stand obeys the session's `c360.known_on`, too: a rebuild reads the events of that time.
create or replace view identity.party_source as
select distinct on (source_system, customer_id)
    source_system,
    customer_id,
    party_id,
    rule,
    known_at as since_known_at,
    event_type,
    event_id
from identity.event
where event_type <> 'conflict' and known_at <= ops.known_on()
order by source_system, customer_id, event_no desc;
