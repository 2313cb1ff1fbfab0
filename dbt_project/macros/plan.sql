{# How plans of a year are broken down (目标分解): by a curve that people upload, never by the calendar (GT-05). #}

{# The share of the year that the curve has reached by the end of a day; a day that it does not name keeps the last. #}
{% macro share_by(curve_id, day) -%}
    coalesce((
        select max(curve.cumulative_share)
        from {{ ref('fct_kpi_plan_curve') }} as curve
        where curve.curve_id = {{ curve_id }} and curve.day <= {{ day }}
    ), 0)
{%- endmacro %}

{# What a version plans by a share of its curve: what was planned before it, and of the rest what the curve has gone of
   its own rest. Where no rest of the curve is left, all of it is due. #}
{% macro planned(target_value, planned_before, share_before, share) -%}
    {{ planned_before }} + ({{ target_value }} - {{ planned_before }})
        * coalesce(({{ share }} - {{ share_before }}) / nullif(1 - {{ share_before }}, 0), 1)
{%- endmacro %}
