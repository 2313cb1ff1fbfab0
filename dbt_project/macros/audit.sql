{# What became of every file that a feed sent (checklist, TPC-DI audit rules): one row a file, entity, audit and subject, all
   made from vars `feeds`, `references` and `shapes`; no table is named here. `expected` is what the file says, `found`
   what the warehouse has of it:

   rows_carried   rows of the file, and rows that the fact or change log has from it; of a snapshot or a full extract the
                  keys, and those of them that are there
   sums_carried   a measure over the rows of the file, and over those of the fact; `subject` is the measure
   dates_in_window   rows, and those dated no later than the business date of the file
   members_known  rows that name a member, and those whose member had a master row when the file came; `subject` is the
                  column, the rest are orphans, which refer to an inferred member
   members_alive  members named, and those that had begun when the first of the file's rows speaks of them; not asked of
                  members whose source sends its whole state and so never says when they began #}

{% macro audited_models() -%}
    {%- set models = [] -%}
    {%- for entity in var('feeds') -%}
        {%- do models.append(audited_model(entity)) -%}
    {%- endfor -%}
    {%- for entity, columns in var('references').items() if columns and audited_model(entity) not in models -%}
        {%- do models.append(audited_model(entity)) -%}
    {%- endfor -%}
    {{ return(models) }}
{%- endmacro %}

{# The first model behind the staging of an entity that keeps its rows. #}
{% macro audited_model(entity) -%}
    {%- set shape = shape(entity) -%}
    {%- if shape.key is defined -%}
        {{ return('int_' ~ entity ~ '__changes') }}
    {%- elif shape.snapshot is defined -%}
        {{ return(shape.snapshot.model) }}
    {%- endif -%}
    {{ return(shape.get('fact', 'fct_' ~ entity)) }}
{%- endmacro %}

{% macro file_audits() -%}
    {%- for entity in var('feeds') %}
        {%- set shape = shape(entity) %}
        {%- if shape.key is not defined and shape.snapshot is not defined %}
    {{ audit_of_fact(entity) }}
        {%- elif shape.key is not defined %}
    {{ audit_of_snapshot(entity) }}
        {%- else %}
    {{ audit_of_changes(entity) }}
            {%- for feed in feed_models(entity, 'full') %}
    union all
    {{ audit_of_full_extract(entity, feed) }}
            {%- endfor %}
        {%- endif %}
        {%- if audited_day(entity) %}
    union all
    {{ audit_of_dates(entity) }}
        {%- endif %}
        {%- if not loop.last %}
    union all
        {%- endif %}
    {%- endfor %}
    {%- for entity, references in var('references').items() %}
        {%- for reference in references %}
    union all
    {{ audit_of_reference(entity, reference) }}
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{# Rows of the files that this run takes up, with the columns named; `only` one feed, `kind` as in feed_models. #}
{% macro audited_rows(entity, columns=[], kind='all', only=none) -%}
    {%- set types = shape(entity).columns -%}
    {%- for feed in ([only] if only else feed_models(entity, kind)) %}
        select source_system, file_id, business_date, known_at
            {%- for column in columns %}, {{ column }}::{{ types.get(column, 'date' if column == 'effective_date' else 'text') }} as {{ column }}{% endfor %}
        from {{ ref(feed_name(feed)) }}
        where file_id = any({{ pending_files() }})
        {%- if not loop.last %}
        union all
        {%- endif %}
    {%- endfor %}
{%- endmacro %}

{% macro audit_of_fact(entity) -%}
    {%- set measures = shape(entity).measures -%}
    select '{{ entity }}', audit.audit_id, audit.subject, sent.file_id, audit.expected, audit.found
    from (
        select file_id, count(*) as sent_rows{% for measure in measures %}, coalesce(sum({{ measure }}), 0) as {{ measure }}{% endfor %}
        from ({{ audited_rows(entity, measures) }}) as feed
        group by file_id
    ) as sent
    left join (
        select file_id, count(*) as kept_rows{% for measure in measures %}, coalesce(sum({{ measure }}), 0) as {{ measure }}{% endfor %}
        from {{ ref(audited_model(entity)) }}
        where file_id = any({{ pending_files() }}) and row_sign = 1
        group by file_id
    ) as kept on kept.file_id = sent.file_id
    cross join lateral (values
        ('rows_carried', '', sent.sent_rows::numeric, coalesce(kept.kept_rows, 0)::numeric)
        {%- for measure in measures %},
        ('sums_carried', '{{ measure }}', sent.{{ measure }}, coalesce(kept.{{ measure }}, 0))
        {%- endfor %}
    ) as audit (audit_id, subject, expected, found)
{%- endmacro %}

{% macro audit_of_snapshot(entity) -%}
    {%- set shape = shape(entity) -%}
    {%- set day, of = shape.grain[-1], shape.grain[:-1] -%}
    {%- set member = of[0] | replace('_id', '') if of | length == 1 else entity -%}
    select '{{ entity }}', 'rows_carried', '', sent.file_id, count(*)::numeric, count(kept.line)::numeric
    from (
        select distinct
            file_id, {{ day }} as day, {{ member_key(member, 'source_system', of | join(' || chr(31) || ')) }} as member_key
        from ({{ audited_rows(entity, shape.columns | list) }}) as feed
        {%- if shape.snapshot.only %}
        where {{ shape.snapshot.only }}
        {%- endif %}
    ) as sent
    left join {{ ref(audited_model(entity)) }} as kept
        on kept.{{ member }}_key = sent.member_key and kept.{{ shape.snapshot.day }} = sent.day
    group by sent.file_id
{%- endmacro %}

{% macro audit_of_changes(entity) -%}
    {%- set key = shape(entity).key -%}
    select '{{ entity }}', 'rows_carried', '', sent.file_id, sent.changes::numeric, coalesce(kept.changes, 0)::numeric
    from (
        select file_id, count(distinct ({{ key }}, effective_date)) as changes
        from ({{ audited_rows(entity, [key, 'effective_date'], kind='changes') }}) as feed
        group by file_id
    ) as sent
    left join (
        select file_id, count(*) as changes
        from {{ ref(audited_model(entity)) }}
        where file_id = any({{ pending_files() }}) and not is_inferred
        group by file_id
    ) as kept on kept.file_id = sent.file_id
{%- endmacro %}

{# A full extract leaves no row where nothing has changed: its keys are there, alive, on its date. #}
{% macro audit_of_full_extract(entity, feed) -%}
    {%- set key = shape(entity).key -%}
    select '{{ entity }}', 'rows_carried', '', sent.file_id, count(*)::numeric, (count(*) filter (where not kept.is_deleted))::numeric
    from (
        select distinct source_system, {{ key }}, file_id, business_date, known_at
        from ({{ audited_rows(entity, [key], only=feed) }}) as feed
    ) as sent
    left join lateral (
        select log.is_deleted
        from {{ ref(audited_model(entity)) }} as log
        where log.source_system = sent.source_system and log.{{ key }} = sent.{{ key }} and not log.is_inferred
            and log.effective_date <= sent.business_date and log.known_at <= sent.known_at
        order by log.effective_date desc, log.known_at desc, log.file_id desc, log.change_seq desc
        limit 1
    ) as kept on true
    group by sent.file_id
{%- endmacro %}

{# The column that says when a row happened or holds from; of a fact without one, none. #}
{% macro audited_day(entity) -%}
    {{ return('effective_date' if shape(entity).key is defined else shape(entity).day) }}
{%- endmacro %}

{% macro audit_of_dates(entity) -%}
    {%- set day = audited_day(entity) -%}
    select
        '{{ entity }}', 'dates_in_window', '', file_id, count({{ day }})::numeric,
        (count(*) filter (where {{ day }}::date <= business_date))::numeric
    from ({{ audited_rows(entity, [day]) }}) as feed
    group by file_id
    having count({{ day }}) > 0
{%- endmacro %}

{% macro audit_of_reference(entity, reference) -%}
    {%- set feed_entity, column = reference.split('.') -%}
    {%- set key = shape(entity).key -%}
    {%- set day = audited_day(feed_entity) -%}
    {%- set whole_states = [] -%}
    {%- for feed in feed_models(entity, 'full') -%}
        {%- do whole_states.append("'" ~ feed.full_extract.split('.')[0] ~ "'") -%}
    {%- endfor -%}
    select '{{ feed_entity }}', audit.audit_id, '{{ column }}', named.file_id, audit.expected, audit.found
    from (
        select
            member.file_id,
            sum(member.named_in) as named_in,
            sum(member.named_in) filter (where master.begins_on is not null) as known_in,
            count(*) filter (where member.first_day is not null and master.begins_on is not null) as dated,
            count(*) filter (where member.first_day >= master.begins_on) as alive
        from (
            select
                source_system, {{ column }} as member_id, file_id, known_at, count(*) as named_in,
                {% if whole_states %}case when source_system not in ({{ whole_states | join(', ') }}) then {% endif -%}
                {{ 'min(' ~ day ~ ')::date' if day else 'null::date' }}{{ ' end' if whole_states }} as first_day
            from ({{ audited_rows(feed_entity, [column, day] if day else [column]) }}) as feed
            where {{ column }} is not null
            group by source_system, {{ column }}, file_id, known_at
        ) as member
        left join lateral (
            select min(log.effective_date) as begins_on
            from {{ ref(audited_model(entity)) }} as log
            where log.source_system = member.source_system and log.{{ key }} = member.member_id
                and log.known_at <= member.known_at and not log.is_inferred and not log.is_deleted
        ) as master on true
        group by member.file_id
    ) as named
    cross join lateral (values
        ('members_known', named.named_in::numeric, coalesce(named.known_in, 0)::numeric),
        ('members_alive', named.dated::numeric, named.alive::numeric)
    ) as audit (audit_id, expected, found)
    where audit.expected > 0
{%- endmacro %}
