-- As known on a past day: one setting of the session, `c360.known_on`, and everything that can look back obeys it.
-- Not set: now. A day counts to its end in Asia/Shanghai; a time stamp is taken as it is.
create function ops.known_on() returns timestamptz language sql stable parallel safe as $$
    select case
        when coalesce(current_setting('c360.known_on', true), '') = '' then 'infinity'::timestamptz
        when current_setting('c360.known_on', true) ~ '^\d{4}-\d{2}-\d{2}$' then
            ((current_setting('c360.known_on', true)::date + 1)::timestamp at time zone 'Asia/Shanghai')
            - interval '1 microsecond'
        else current_setting('c360.known_on', true)::timestamptz
    end
$$;
comment on function ops.known_on() is
'The moment as of whose knowledge this session looks: setting c360.known_on (a day or a time stamp), else infinity';

-- The publication that this session sees: the one that the pointer names, or the one that it named at `c360.known_on`.
create function ops.publication_seen(
    out number integer, out published_at timestamptz, out business_date date
) language plpgsql stable security definer set search_path = pg_catalog as $$
begin
    if ops.known_on() = 'infinity' then
        select pointer.number, pointer.published_at, pointer.business_date
        into number, published_at, business_date
        from ops.publication_pointer as pointer;
        return;
    end if;
    select coalesce((
        select event.to_number from ops.publication_event as event
        where event.action in ('publish', 'roll back') and event.at <= ops.known_on()
        order by event.event_id desc limit 1
    ), 0) into number;
    select chosen.published_at, chosen.business_date into published_at, business_date
    from ops.publication as chosen where chosen.number = publication_seen.number and chosen.state = 'published';
    if not found then
        raise exception 'publication %, in force on %, is not kept any more', number, ops.known_on()
            using errcode = 'no_data_found',
            hint = 'c360 rebuild --known-on makes the marts of that day again, into schemas of their own.';
    end if;
end
$$;
comment on function ops.publication_seen() is
'Number, time and business date of the publication that this session sees; row policies and views of marts ask it';

create or replace view mart.publication as
select seen.number, seen.published_at, seen.business_date, publication.note
from ops.publication_seen() as seen
inner join ops.publication on publication.number = seen.number;
