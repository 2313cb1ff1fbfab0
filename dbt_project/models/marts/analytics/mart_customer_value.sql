-- What a customer brings its bank over the last months (客户综合贡献度, C360-30), and where it stands on the 20/80 curve.
with customer_now as not materialized (
    {{ customers_now() }}
),

brought as (
    select
        customer_now.controller_id,
        customer_now.party_key,
        min(month.snapshot_month) as measured_from,
        count(distinct month.snapshot_month)::integer as month_count,
{%- for component in ['deposits', 'loans', 'wealth', 'cards'] %}
        coalesce(sum(brought.amount) filter (where brought.component = '{{ component }}'), 0)::numeric(18, 2) as {{ component }}_contribution,
{%- endfor %}
        coalesce(sum(brought.amount), 0)::numeric(18, 2) as contribution_amount
    from customer_now
    inner join {{ ref('mart_customer_360') }} as month
        on month.controller_id = customer_now.controller_id
        and month.party_key = customer_now.party_key
        and month.snapshot_month > customer_now.snapshot_month
        - make_interval(months => {{ party_parameter('value_months', 'customer_now.as_of') }}::integer)
    cross join lateral (
        select
            rate.component,
            round(measured.amount * rate.rate * case rate.rate_basis
                when 'year' then (month.as_of - month.snapshot_month + 1) / 365.0
                else 1
            end, 2) as amount
        from (
            values
            ('deposit_average_balance', month.deposit_average_balance),
            ('loan_balance', month.loan_balance),
            ('wealth_market_value', month.wealth_market_value),
            ('card_spend_amount', month.card_spend_amount)
        ) as measured (measure, amount)
        inner join {{ ref('contribution_rate') }} as rate
            on rate.measure = measured.measure
            and month.as_of >= rate.valid_from
            and month.as_of < rate.valid_to
    ) as brought
    group by customer_now.controller_id, customer_now.party_key
),

ranked as (
    select
        *,
        row_number() over best_first as value_rank,
        count(*) over whole as party_count,
        sum(contribution_amount) over best_first as amount_to_here,
        sum(contribution_amount) over whole as amount_of_all
    from brought
    window
        whole as (partition by controller_id),
        best_first as (
            partition by controller_id order by contribution_amount desc, party_key
            rows between unbounded preceding and current row
        )
)

select
    ranked.controller_id,
    ranked.party_key,
    customer_now.as_of,
    customer_now.party_id,
    customer_now.party_name_masked,
    customer_now.party_kind,
    customer_now.organisation_id,
    customer_now.accountable_manager_id,
    ranked.measured_from,
    ranked.month_count,
    customer_now.managed_assets,
    ranked.deposits_contribution,
    ranked.loans_contribution,
    ranked.wealth_contribution,
    ranked.cards_contribution,
    ranked.contribution_amount,
    ranked.value_rank::integer as value_rank,
    (ranked.value_rank::numeric / ranked.party_count)::numeric(9, 6) as rank_share,
    (ranked.amount_to_here / nullif(ranked.amount_of_all, 0))::numeric(18, 6) as cumulative_share,
    ranked.value_rank <= ceil(ranked.party_count * {{ party_parameter('value_top_share', 'customer_now.as_of') }}) as is_top
from ranked
inner join customer_now
    on customer_now.controller_id = ranked.controller_id
    and customer_now.party_key = ranked.party_key
