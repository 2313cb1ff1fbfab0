{{ config(indexes=[{'columns': ['period_end', 'party_kind']}]) }}

-- Stock of deposits at the collection dates (采集日期), in the bank's own codes: profiles turn them into a regulator's.
with collection_date as (
    select
        month.month_end as period_end
    from {{ ref('dim_date') }} as month
    where month.day_of_month = 1
        and month.month_end <= (
            select max(last_business_date) from {{ ref('dim_source_system') }}
            where source_system in (select source_system from {{ ref('bridge_party_manager') }})
        )
        and month.month_end > (
            select max(last_business_date) from {{ ref('dim_source_system') }}
            where source_system in (select source_system from {{ ref('bridge_party_manager') }})
        ) - interval '{{ var("regulatory_months", 3) }} months'
),

deposit as (
    select
        collection_date.period_end,
        account.source_system,
        account.controller_id,
        account.account_key,
        account.account_id,
        account.customer_key,
        account.organisation_id,
        account.organisation_key,
        account.account_type,
        account.gl_subject,
        account.currency,
        account.interest_rate,
        account.opened_on,
        account.matures_on,
        account.closed_on,
        account.status,
        balance.balance
    from collection_date
    inner join {{ ref('dim_account') }} as account
        on collection_date.period_end >= account.valid_from
        and collection_date.period_end < account.valid_to
    inner join {{ ref('dim_product') }} as product
        on account.product_key = product.product_key and product.is_current
    inner join {{ ref('fct_account_balance') }} as balance
        on account.account_key = balance.account_key
        and collection_date.period_end >= balance.valid_from
        and collection_date.period_end < balance.valid_to
    where product.product_line = 'deposit'
        and account.source_system in (select source_system from {{ ref('bridge_party_manager') }})
        and account.opened_on <= collection_date.period_end
        and coalesce(account.closed_on, date '9999-12-31') > collection_date.period_end
)

select
    deposit.period_end,
    deposit.account_id,
    deposit.source_system,
    deposit.controller_id,
    deposit.organisation_id,
    organisation.licence_no,
    customer.party_kind,
    customer.customer_id,
    {{ masked_name('customer.customer_name', 'customer.party_kind') }} as customer_name_masked,
    customer.customer_name,
    case when document.is_on_file then customer.id_type else 'own_number' end as id_type,
    case when document.is_on_file then customer.id_number else customer.customer_id end as id_number,
    {{ masked_number('case when document.is_on_file then customer.id_number else customer.customer_id end') }} as id_number_masked,
    -- 地区代码: of the resident id or credit code, else that of the keeping unit
    coalesce(
        case
            when customer.id_type = 'resident_id' then left(customer.id_number, 6)
            when customer.id_type = 'uscc' then substring(customer.id_number, 3, 6)
        end,
        organisation.region_code
    ) as customer_region_code,
    customer.address as registered_address,
    deposit.account_type,
    deposit.gl_subject,
    deposit.account_id as agreement_code,
    deposit.opened_on as starts_on,
    deposit.matures_on,
    deposit.currency,
    deposit.balance,
    case when rate.reporting_currency = 'CNY' then {{ in_reporting_currency('deposit.balance', 'rate') }} end as balance_cny,
    deposit.interest_rate,
    deposit.status as account_status,
    deposit.balance > 0 as is_reported
from deposit
left join {{ ref('dim_organisation') }} as organisation
    on deposit.organisation_key = organisation.organisation_key
    and deposit.period_end >= organisation.valid_from
    and deposit.period_end < organisation.covers_to
left join {{ ref('dim_customer') }} as customer
    on deposit.customer_key = customer.customer_key
    and deposit.period_end >= customer.valid_from
    and deposit.period_end < customer.covers_to
{{ join_reporting_rate('rate', 'deposit.controller_id', 'deposit.currency', 'deposit.period_end') }}
cross join lateral (
    select customer.id_type is not null and customer.id_number is not null as is_on_file
) as document
