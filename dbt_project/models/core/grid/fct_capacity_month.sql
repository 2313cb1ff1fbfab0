{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['line_key', 'capacity_month'],
    full_refresh=false,
    pre_hook="{{ take_up(after=['dim_line']) }}",
    post_hook="{{ analyze_grown() }}"
) }}

-- A month that arrives again replaces the one before; a correction of a line makes its months anew.
with arrived as (
    select distinct on (source_system, line_id, capacity_month)
        source_system,
        controller_id,
        line_id,
        capacity_month,
        max_load_kw,
        open_capacity_kva,
        file_id,
        line,
        known_at
    from ({{ union_feeds('line_capacity', where='file_id = any(' ~ pending_files() ~ ')') }}) as feed
    order by source_system, line_id, capacity_month, known_at desc, file_id desc, line desc
),

touched as (
    select * from arrived
    {%- if is_incremental() %}
    union all
    select
        kept.source_system,
        kept.controller_id,
        kept.line_id,
        kept.capacity_month,
        kept.max_load_kw,
        kept.open_capacity_kva,
        kept.file_id,
        kept.line,
        kept.known_at
    from {{ this }} as kept
    where kept.line_key in (
            select line_key from {{ ref('int_line__changes') }} where file_id = any({{ pending_files() }})
        )
        and not exists (
            select 1 from arrived
            where arrived.source_system = kept.source_system and arrived.line_id = kept.line_id
                and arrived.capacity_month = kept.capacity_month
        )
    {%- endif %}
),

dated as (
    select *, (capacity_month + interval '1 month - 1 day')::date as as_of
    from touched
)

-- depends_on: {{ ref('int_line__changes') }}
select
    dated.source_system,
    dated.controller_id,
    {{ version_keys('line', 'line', 'dated.line_id') }},
    dated.line_id,
    dated.capacity_month,
    dated.as_of,
    line.capacity_kva,
    dated.max_load_kw,
    dated.open_capacity_kva,
    dated.file_id,
    dated.line,
    dated.known_at
from dated
{{ join_version('line', 'line', 'dated.source_system', 'dated.line_id', 'dated.as_of') }}
