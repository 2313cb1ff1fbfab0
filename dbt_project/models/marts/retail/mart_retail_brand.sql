with sale as (
    select
        sale.source_system,
        sale.controller_id,
        owner.owner_kind,
        owner.owner_id,
        owner.owner_key,
        date_trunc('month', sale.sale_date)::date as month_start,
        sale.customer_key,
        sale.brand_key,
        brand.retail_price,
        sale.cases,
        sale.amount
    from {{ ref('fct_retail_sale') }} as sale
    inner join {{ ref('dim_brand') }} as brand on brand.brand_version_key = sale.brand_version_key
    inner join {{ ref('dim_employee') }} as employee on employee.employee_version_key = sale.employee_version_key
    cross join lateral (
        select 'employee' as owner_kind, sale.employee_id as owner_id, sale.employee_key as owner_key
        union all
        select 'organisation', organisation.organisation_id, organisation.organisation_key
        from {{ ref('bridge_organisation') }} as above
        inner join {{ ref('dim_organisation') }} as organisation
            on organisation.organisation_key = above.ancestor_organisation_key
            and sale.sale_date >= organisation.valid_from
            and sale.sale_date < organisation.covers_to
        where above.organisation_key = employee.organisation_key
            and sale.sale_date >= above.valid_from
            and sale.sale_date < above.valid_to
    ) as owner
    where sale.employee_key > 0
        and sale.sale_date >= (
            select date_trunc('month', max(sale_date)) - interval '{{ var("kpi_months", 14) }} months'
            from {{ ref('fct_retail_sale') }}
        )
),

-- What a retailer bought and gave back within the month he does not carry.
carried as (
    select
        source_system, controller_id, owner_kind, owner_id, owner_key, month_start, brand_key, customer_key,
        sum(cases) as cases,
        sum(amount) as amount,
        sum(cases * retail_price) as retail_amount
    from sale
    group by source_system, controller_id, owner_kind, owner_id, owner_key, month_start, brand_key, customer_key
),

served as (
    select source_system, owner_kind, owner_id, month_start, count(distinct customer_key) as retailers
    from carried
    where cases > 0
    group by source_system, owner_kind, owner_id, month_start
),

owned as (
    select
        source_system, controller_id, owner_kind, owner_id, owner_key, month_start, brand_key,
        (month_start + interval '1 month - 1 day')::date as month_end,
        sum(cases) as cases,
        sum(amount) as amount,
        sum(retail_amount) as retail_amount,
        count(*) filter (where cases > 0) as retailers
    from carried
    group by source_system, controller_id, owner_kind, owner_id, owner_key, month_start, brand_key
)

select
    owned.source_system,
    owned.owner_kind,
    owned.owner_id,
    coalesce(manager.employee_name, unit.organisation_name) as owner_name,
    case owned.owner_kind when 'employee' then owned.owner_id end as manager_id,
    case owned.owner_kind when 'employee' then manager.organisation_id else owned.owner_id end as organisation_id,
    brand.brand_id,
    owned.month_start,
    brand.brand_name,
    brand.origin,
    brand.is_key,
    brand.price_class,
    owned.cases::numeric(18, 4) as sold_cases,
    owned.amount::numeric(18, 2) as sold_amount,
    (owned.amount / nullif(owned.cases, 0))::numeric(18, 2) as average_price,
    (owned.retail_amount - owned.amount)::numeric(18, 2) as retail_margin,
    owned.retailers::integer as retailers_with_brand,
    served.retailers::integer as retailers_served,
    (owned.retailers::numeric / served.retailers)::numeric(14, 6) as listing_rate,
    owned.controller_id
from owned
inner join served
    on served.source_system = owned.source_system
    and served.owner_kind = owned.owner_kind
    and served.owner_id = owned.owner_id
    and served.month_start = owned.month_start
inner join {{ ref('dim_brand') }} as brand
    on brand.brand_key = owned.brand_key
    and owned.month_end >= brand.valid_from
    and owned.month_end < brand.covers_to
{{ join_owner('owned', 'owned.month_end') }}
