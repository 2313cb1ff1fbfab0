{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='customer_key',
    pre_hook="{{ take_up(after=['dim_customer']) }}",
    post_hook="{{ analyze_grown() }}",
    indexes=[{'columns': ['customer_key']}, {'columns': ['attribute_id', 'capture_channel_key']}]
) }}
{%- set attributes = [
    'customer_name', 'id_type', 'id_number', 'id_valid_to', 'gender', 'birth_date', 'nationality', 'mobile', 'email', 'address',
    'region_code', 'occupation', 'industry_code', 'firm_size', 'registered_capital', 'legal_representative',
] %}

-- depends_on: {{ ref('int_customer__changes') }}
-- The versions of a customer taken apart into its attributes: a value has the channel of the change that brought it, not of
-- a later change of something else.
with version as (
    select *
    from {{ ref('dim_customer') }}
    where customer_key > 0 and not is_inferred
    {%- if is_incremental() %}
        and customer_key in (
            select customer_key from {{ ref('int_customer__changes') }} where file_id = any({{ pending_files() }})
        )
    {%- endif %}
),

held as (
    select
        version.*,
        attribute.attribute_id,
        attribute.attribute_value
    from version
    cross join lateral (
        values
        {%- for attribute in attributes %}
        ('{{ attribute }}', version.{{ attribute }}::text){{ ',' if not loop.last }}
        {%- endfor %}
    ) as attribute (attribute_id, attribute_value)
),

turn as (
    select
        *,
        (
            attribute_value is distinct from lag(attribute_value) over earlier
            or valid_from is distinct from lag(valid_to) over earlier
        ) as is_begin
    from held
    window earlier as (partition by customer_key, attribute_id order by valid_from)
),

stretch as (
    select
        *,
        count(*) filter (where is_begin) over (partition by customer_key, attribute_id order by valid_from) as stretch_no
    from turn
)

select
    source_system,
    controller_id,
    customer_key,
    customer_id,
    attribute_id,
    attribute_value,
    {{ member_key('channel', "'c360'", 'max(capture_channel_id) filter (where is_begin)') }} as capture_channel_key,
    max(capture_channel_id) filter (where is_begin) as capture_channel_id,
    max(capture_operator_id) filter (where is_begin) as capture_operator_id,
    max(captured_at) filter (where is_begin) as captured_at,
    min(valid_from) as valid_from,
    max(valid_to) as valid_to,
    max(valid_to) = date '9999-12-31' as is_current,
    max(known_from) filter (where is_begin) as known_from
from stretch
where attribute_value is not null
group by source_system, controller_id, customer_key, customer_id, attribute_id, attribute_value, stretch_no
