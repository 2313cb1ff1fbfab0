{# A parameter of billing (seed grid_parameter) of a source, as it stands on a day. #}
{% macro grid_parameter(parameter_id, source_system, day) -%}
    (
        select parameter.parameter_value
        from {{ ref('grid_parameter') }} as parameter
        where parameter.parameter_id = '{{ parameter_id }}'
            and parameter.source_system = {{ source_system }}
            and {{ day }} >= parameter.valid_from
            and {{ day }} < parameter.valid_to
    )
{%- endmacro %}

{# Service points and the first month of theirs whose bills are to be computed again: a bill or line arrived, a reading of a
   month that was billed, or a change of the point, a contract or a tariff. A later bill of the year depends on the ones before (tiers),
   so all from that month on are touched. #}
{% macro grid_bills_touched() -%}
    {%- for entity in ['grid_bill', 'grid_bill_total', 'energy_daily'] %}
    {%- for feed in feed_models(entity) %}
    -- depends_on: {{ ref(feed_name(feed)) }}
    {%- endfor %}
    {%- endfor %}
    {%- for log in ['int_service_point__changes', 'int_supply_contract__changes', 'int_tariff__changes', 'int_tariff_period__changes', 'dim_supply_contract'] %}
    -- depends_on: {{ ref(log) }}
    {%- endfor %}
    select service_point_key, min(billing_month) as from_month
    from (
        {%- if is_incremental() %}
        {%- for feed, month in [('grid_bill', 'billing_month'), ('grid_bill_total', 'billing_month'), ('energy_daily', "date_trunc('month', reading_date)::date")] %}
        select
            {{ member_key('service_point', 'source_system', 'service_point_id') }} as service_point_key,
            {{ month }} as billing_month
        from ({{ union_feeds(feed, where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
        union
        {%- endfor %}
        select bill.service_point_key, bill.billing_month
        from {{ ref('fct_grid_bill_total') }} as bill
        inner join {{ ref('int_service_point__changes') }} as changed on changed.service_point_key = bill.service_point_key
        where changed.file_id = any({{ pending_files() }})
        union
        select bill.service_point_key, bill.billing_month
        from {{ ref('fct_grid_bill_total') }} as bill
        inner join (
            select changed.source_system, changed.supply_contract_id, changed.effective_date
            from {{ ref('int_supply_contract__changes') }} as changed
            where changed.file_id = any({{ pending_files() }})
            union
            select contract.source_system, contract.supply_contract_id, tariff.effective_date
            from (
                select source_system, tariff_id, effective_date from {{ ref('int_tariff__changes') }}
                where file_id = any({{ pending_files() }})
                union
                select source_system, tariff_id, effective_date from {{ ref('int_tariff_period__changes') }}
                where file_id = any({{ pending_files() }})
            ) as tariff
            inner join {{ ref('dim_supply_contract') }} as contract
                on contract.source_system = tariff.source_system and contract.tariff_id = tariff.tariff_id
        ) as changed
            on changed.source_system = bill.source_system
            and changed.supply_contract_id = bill.supply_contract_id
            and bill.billing_month > changed.effective_date - 31
        {%- else %}
        select service_point_key, billing_month from {{ ref('fct_grid_bill_total') }}
        {%- endif %}
    ) as touched
    group by service_point_key
{%- endmacro %}

{# Bills as now known of service points touched, from the begin of the year of the first month touched. #}
{% macro grid_bills_known(touched) -%}
    select distinct on (bill.source_system, bill.bill_id)
        bill.*,
        touched.from_month
    from {{ ref('fct_grid_bill_total') }} as bill
    inner join {{ touched }} as touched
        on touched.service_point_key = bill.service_point_key
        and bill.billing_month >= date_trunc('year', touched.from_month)
    where bill.row_sign = 1
    order by bill.source_system, bill.bill_id, bill.known_at desc, bill.file_id desc, bill.line desc
{%- endmacro %}
