{# Months that managers are measured for: the last `kpi_months` up to the last business date of the sources that assign
   managers. A month that still runs counts up to that date. #}
{% macro assessed_months() -%}
    select
        month.month_start as period_month,
        least(month.month_end, horizon.last_day) as as_of,
        least(month.month_end, horizon.last_day) + 1 as ends_before,
        month.month_end <= horizon.last_day as is_closed,
        (least(month.month_end, horizon.last_day) - month.month_start + 1)::integer as days,
        (
            select count(*)::integer from {{ ref('dim_date') }} as working
            where working.is_working_day
                and working.date_day between month.month_start and least(month.month_end, horizon.last_day)
        ) as working_days
    from (
        select
            max(source_system.last_business_date) as last_day,
            min(assignment.first_day) as first_day
        from {{ ref('dim_source_system') }} as source_system
        inner join (
            select source_system, min(valid_from) as first_day from {{ ref('bridge_party_manager') }} group by source_system
        ) as assignment on source_system.source_system = assignment.source_system
    ) as horizon
    inner join {{ ref('dim_date') }} as month
        on month.day_of_month = 1
        and month.month_start <= horizon.last_day
        and month.month_end >= horizon.first_day
        and month.month_start > horizon.last_day - interval '{{ var("kpi_months", 14) }} months'
{%- endmacro %}
