{# What the ways of traces share. `said`: the row of a change log that holds for a key on a day, as the versions of its
   dimension see it: the last before or on the day, else the first. #}
{% macro said(entity, source, id, day, name='fact') -%}
    join lateral (
        select log.* from intermediate.int_{{ entity }}__changes as log
        where log.source_system = {{ source }} and log.{{ shapes[entity].key }} = {{ id }}
        order by
            log.is_inferred, log.is_deleted, case when log.effective_date <= {{ day }} then log.effective_date end desc nulls last,
            log.effective_date, log.known_at desc, log.file_id desc, log.change_seq desc
        limit 1
    ) as {{ name }} on true
{%- endmacro %}

{# Of what is counted once however many rows tell of it, the share of each row: the rows of one mart's row and one `what`
   add up to one. #}
{% macro once(what, weight='1') -%}
    {{ weight }}::numeric / nullif(sum({{ weight }}) over (partition by seen.{{ key | join(', seen.') }}, {{ what }}), 0)
{%- endmacro %}

{# The last file of the sources that a day comes from; the file as a whole says it. #}
{% macro last_file_of(sources) -%}
    join lateral (
        select file_id, 0 as line, business_date
        from ops.loaded_file
        where source_system in ({{ sources }})
        order by business_date desc, file_id limit 1
    ) as fact on true
{%- endmacro %}

{# Whose figures a row of mart_customer_360 shows: of its own controller, or of one of that kind that shares with it. #}
{% macro month_of(kind) -%}
    join core.controller as provider on provider.controller_kind = '{{ kind }}'
    join core.controller as receiver on receiver.controller_id = seen.controller_id
    join core.fct_party_month as month
        on month.party_key = seen.party_key and month.figures_month = seen.snapshot_month
        and month.controller_id = provider.controller_id
        and (month.controller_id = seen.controller_id or receiver.controller_kind <> '{{ kind }}' and exists (
            select from core.bridge_sharing_basis as basis
            where basis.party_key = seen.party_key and basis.is_current
                and basis.from_controller_id = month.controller_id and basis.to_controller_id = seen.controller_id
                and month.as_of >= basis.valid_from and month.as_of < basis.valid_to
        ))
{%- endmacro %}

{% macro five_class_rank(five_class) -%}
    array_position(array['normal', 'special_mention', 'substandard', 'doubtful', 'loss'], {{ five_class }})
{%- endmacro %}

{# A key out of an evidence id of a metric; NULL for the ids of other metrics, which may be no numbers. #}
{% macro evidence_key(metric, number=1) -%}
    case when seen.metric_id = '{{ metric }}' then split_part(seen.evidence_id, '/', {{ number }})::bigint end
{%- endmacro %}

{# Number of the document that a customer has on file, else the customer's own. #}
{% macro number_on_file(customer) -%}
    case
        when {{ customer }}.id_type is null or {{ customer }}.id_number is null then {{ customer }}.customer_id
        else {{ customer }}.id_number
    end
{%- endmacro %}

{# The region that a resident id or a credit code names. #}
{% macro region_in_number(customer) -%}
    case {{ customer }}.id_type
        when 'resident_id' then left({{ customer }}.id_number, 6)
        when 'uscc' then substring({{ customer }}.id_number, 3, 6)
    end
{%- endmacro %}

{# Rates into the reporting currency that hold on a day, or on any of the days before `until`, and what an amount is worth
   by them. #}
{% macro reporting_rate(amount, day, until=none) -%}
    join core.fct_reporting_rate as rate
        on rate.controller_id = {{ amount }}.controller_id and rate.currency = {{ amount }}.currency
        and rate.valid_to > {{ day }} and rate.valid_from {% if until %}< {{ until }}{% else %}<= {{ day }}{% endif %}
{%- endmacro %}

{% macro worth(amount) -%}
    round({{ amount }} * rate.unit_rate, rate.decimals)
{%- endmacro %}

{# The row of mart_customer_360 that says of a party what holds now. #}
{% macro customer_now() -%}
    join (
        select controller_id, max(as_of) as as_of from mart.mart_customer_360 group by controller_id
    ) as present on present.controller_id = seen.controller_id
    join mart.mart_customer_360 as other
        on other.controller_id = seen.controller_id and other.party_key = seen.party_key and other.as_of = present.as_of
{%- endmacro %}

{# The row of party_parameter that holds on a day. #}
{% macro parameter_of(parameter_id, day, name='fact') -%}
    join core.party_parameter as {{ name }}
        on {{ name }}.parameter_id = '{{ parameter_id }}' and {{ day }} >= {{ name }}.valid_from and {{ day }} < {{ name }}.valid_to
{%- endmacro %}

{# Lines of genuine contacts with a party: reached, and written down. #}
{% macro genuine_contacts(controller, party) -%}
    join core.bridge_party_source as placed on placed.controller_id = {{ controller }} and placed.party_key = {{ party }}
    join core.fct_contact as fact
        on fact.customer_key = placed.customer_key and fact.row_sign = 1 and fact.outcome = 'reached' and fact.has_note
{%- endmacro %}
