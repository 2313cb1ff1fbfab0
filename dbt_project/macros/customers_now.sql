{# Customers of the banks on the last day that their controller has figures of: the latest rows of mart_customer_360. #}
{% macro customers_now() -%}
    select customer.*
    from {{ ref('mart_customer_360') }} as customer
    inner join {{ ref('controller') }} as controller
        on controller.controller_id = customer.controller_id
        and controller.controller_kind = 'bank'
    inner join (
        select controller_id, max(as_of) as as_of
        from {{ ref('mart_customer_360') }}
        group by controller_id
    ) as present on present.controller_id = customer.controller_id and present.as_of = customer.as_of
{%- endmacro %}
