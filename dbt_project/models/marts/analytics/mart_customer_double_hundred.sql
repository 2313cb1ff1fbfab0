-- The double hundred (双百工程, C360-63): the bank's firms that paid the most tax and those that used the most electricity over
-- the last months, both lists in one, and who of them was visited and screened in that time.
with customer_now as not materialized (
    select
        customer.*,
        (
            customer.snapshot_month
            - make_interval(months => {{ party_parameter('hundred_months', 'customer.as_of') }}::integer - 1)
        )::date as counted_from,
        {{ party_parameter('hundred_length', 'customer.as_of') }} as list_length
    from ({{ customers_now() }}) as customer
),

observed as (
    select
        customer_now.controller_id,
        customer_now.party_key,
        series.series,
        sum(series.series_value) as amount
    from customer_now
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.controller_id = customer_now.controller_id
        and placed.party_key = customer_now.party_key
    inner join {{ ref('fct_external_series') }} as series
        on series.customer_key = placed.customer_key
        and series.series in ('tax_paid', 'electricity_use')
        and series.series_month between customer_now.counted_from and customer_now.as_of
    group by customer_now.controller_id, customer_now.party_key, series.series
),

ranked as (
    select *, row_number() over (partition by controller_id, series order by amount desc, party_key) as list_rank
    from observed
    where amount > 0
),

listed as (
    select
        controller_id,
        party_key,
        (max(list_rank) filter (where series = 'tax_paid'))::integer as tax_rank,
        (max(amount) filter (where series = 'tax_paid'))::numeric(18, 2) as tax_paid,
        (max(list_rank) filter (where series = 'electricity_use'))::integer as electricity_rank,
        (max(amount) filter (where series = 'electricity_use'))::numeric(18, 2) as electricity_kwh
    from ranked
    group by controller_id, party_key
),

visited as (
    select customer_now.controller_id, customer_now.party_key, max(contact.contacted_at)::date as last_visit_on
    from customer_now
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.controller_id = customer_now.controller_id
        and placed.party_key = customer_now.party_key
    inner join ({{ standing_rows('fct_contact', ['contact_id']) }}) as contact
        on contact.customer_key = placed.customer_key
        and contact.row_sign = 1
        and contact.contact_kind = 'visit'
        and contact.outcome = 'reached'
        and contact.has_note
        and contact.contacted_at >= customer_now.counted_from
    group by customer_now.controller_id, customer_now.party_key
),

screened as (
    select customer_now.controller_id, customer_now.party_key, max(rating.rated_on) as last_rated_on
    from customer_now
    inner join {{ ref('bridge_party_source') }} as placed
        on placed.controller_id = customer_now.controller_id
        and placed.party_key = customer_now.party_key
    inner join {{ ref('dim_rating') }} as rating
        on rating.customer_key = placed.customer_key
        and rating.rated_on between customer_now.counted_from and customer_now.as_of
    group by customer_now.controller_id, customer_now.party_key
)

select
    listed.controller_id,
    listed.party_key,
    customer_now.counted_from,
    customer_now.as_of,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    listed.tax_rank,
    listed.tax_paid,
    listed.electricity_rank,
    listed.electricity_kwh,
    case
        when listed.tax_rank <= customer_now.list_length and listed.electricity_rank <= customer_now.list_length then 'both'
        when listed.tax_rank <= customer_now.list_length then 'tax'
        else 'electricity'
    end as list_membership,
    customer_now.loan_balance,
    customer_now.product_group_count,
    visited.last_visit_on,
    visited.last_visit_on is not null as is_visited,
    screened.last_rated_on,
    screened.last_rated_on is not null as is_screened
from listed
inner join customer_now
    on customer_now.controller_id = listed.controller_id
    and customer_now.party_key = listed.party_key
left join visited
    on visited.controller_id = listed.controller_id
    and visited.party_key = listed.party_key
left join screened
    on screened.controller_id = listed.controller_id
    and screened.party_key = listed.party_key
where least(listed.tax_rank, listed.electricity_rank) <= customer_now.list_length
