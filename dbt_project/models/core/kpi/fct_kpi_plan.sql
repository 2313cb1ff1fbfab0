{{ config(indexes=[{'columns': ['owner_id', 'kpi_id', 'plan_year']}]) }}

-- Versions of the year's target. A raised one is reached along the rest of the curve: what was planned up to then stays,
-- and the days to come carry the difference.
with recursive approved_target as (
    select
        target.*,
        upload.file_name,
        upload.prepared_by,
        approval.decided_by as approved_by,
        row_number() over (
            partition by target.kpi_id, target.owner_kind, target.owner_id, target.plan_year, target.valid_from
            order by target.upload_id desc
        ) as place
    from {{ source('plan', 'plan_target') }} as target
    inner join {{ source('plan', 'plan_upload') }} as upload on target.upload_id = upload.upload_id
    inner join {{ source('plan', 'plan_approval') }} as approval
        on target.upload_id = approval.upload_id
),

-- The first holds from the begin of the year.
ranged_target as (
    select
        approved_target.*,
        row_number() over version as version_no,
        case
            when row_number() over version = 1 then make_date(plan_year, 1, 1)
            else greatest(valid_from, make_date(plan_year, 1, 1))
        end as begins_on,
        greatest(
            coalesce(lead(valid_from) over version, make_date(plan_year + 1, 1, 1)), make_date(plan_year, 1, 1)
        ) as ends_before
    from approved_target
    where place = 1
    window version as (partition by kpi_id, owner_kind, owner_id, plan_year order by valid_from)
),

placed_target as (
    select
        ranged_target.*,
        {{ share_by('ranged_target.curve_id', 'ranged_target.begins_on - 1') }} as share_before,
        {{ share_by('ranged_target.curve_id', 'ranged_target.ends_before - 1') }} as share_at_end
    from ranged_target
),

planned_target as (
    select
        placed_target.*,
        0::numeric as planned_before
    from placed_target
    where version_no = 1
    union all
    select
        later.*,
        {{ planned('earlier.target_value', 'earlier.planned_before', 'earlier.share_before', 'earlier.share_at_end') }}
    from planned_target as earlier
    inner join placed_target as later
        on earlier.kpi_id = later.kpi_id
        and earlier.owner_kind = later.owner_kind
        and earlier.owner_id = later.owner_id
        and earlier.plan_year = later.plan_year
        and earlier.version_no + 1 = later.version_no
)

select
    kpi_id,
    owner_kind,
    owner_id,
    plan_year,
    version_no::integer as version_no,
    valid_from,
    begins_on,
    ends_before,
    target_value::numeric(18, 4) as target_value,
    unit,
    spread,
    curve_id,
    share_before::numeric(9, 8) as share_before,
    round(planned_before, 4)::numeric(18, 4) as planned_before,
    set_by,
    set_by = owner_id as is_set_by_owner,
    prepared_by,
    approved_by,
    upload_id,
    file_name,
    line
from planned_target
