{# Customers of the banks on the last day that their controller has figures of: the latest rows of mart_customer_360. By the
   month, whose values the planner knows; where a model reads it twice it is `not materialized`, so that parties are looked up
   by their key. #}
{% macro customers_now() -%}
    select customer.*
    from {{ ref('mart_customer_360') }} as customer
    inner join {{ ref('controller') }} as controller
        on controller.controller_id = customer.controller_id
        and controller.controller_kind = 'bank'
    inner join (
        select controller_id, max(snapshot_month) as snapshot_month
        from {{ ref('mart_customer_360') }}
        group by controller_id
    ) as present on present.controller_id = customer.controller_id and present.snapshot_month = customer.snapshot_month
{%- endmacro %}
