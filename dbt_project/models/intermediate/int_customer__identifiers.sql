{{ config(materialized='view', tags=['stage']) }}

-- What the resolution of parties reads: the last word of each source about each of its customers, also of those deleted
-- since (their history stays a party's). A matching basis is a consent or other legal basis for the purpose party_matching
-- that is in force on the last business date of its source; who is to be erased has none, and is nobody's likeness.
with last_word as (
    select distinct on (source_system, customer_id)
        *
    from ({{ union_feeds('customer') }}) as feed
    order by source_system, customer_id, effective_date desc, known_at desc, file_id desc, change_seq desc
),

first_word as (
    select source_system, customer_id, min(known_at) as first_known_at
    from ({{ union_feeds('customer') }}) as feed
    group by source_system, customer_id
),

consent as (
    select distinct on (source_system, consent_id)
        *
    from ({{ union_feeds('consent') }}) as feed
    order by source_system, consent_id, effective_date desc, known_at desc, file_id desc, change_seq desc
),

last_day as (
    select source_system, max(business_date) as business_date
    from {{ source('ops', 'loaded_file') }}
    group by source_system
),

basis as (
    select distinct consent.source_system, consent.customer_id
    from consent
    inner join last_day on last_day.source_system = consent.source_system
    left join {{ source('ops', 'approved_erasure') }} as erasure
        on erasure.source_system = consent.source_system and erasure.key = consent.customer_id
    where erasure.erasure_id is null
        and consent.purpose = 'party_matching'
        and consent.change_flag <> 'D'
        and consent.given_on <= last_day.business_date
        and (consent.withdrawn_on is null or consent.withdrawn_on > last_day.business_date)
)

select
    last_word.source_system,
    last_word.customer_id,
    last_word.controller_id,
    last_word.party_kind,
    nullif(last_word.customer_name, '[erased]') as customer_name,
    last_word.id_type,
    last_word.id_number,
    last_word.mobile as phone,
    last_word.address,
    last_word.birth_date,
    last_word.gender,
    basis.customer_id is not null as has_matching_basis,
    first_word.first_known_at
from last_word
inner join first_word
    on first_word.source_system = last_word.source_system and first_word.customer_id = last_word.customer_id
left join basis
    on basis.source_system = last_word.source_system and basis.customer_id = last_word.customer_id
