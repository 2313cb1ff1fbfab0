-- Of a curve that was uploaded anew the last approved upload holds, with all its days.
with approved_curve as (
    select
        curve.curve_id,
        curve.day,
        curve.cumulative_share,
        curve.upload_id,
        curve.line,
        curve.upload_id = max(curve.upload_id) over (partition by curve.curve_id) as is_in_force
    from {{ source('plan', 'plan_curve') }} as curve
    inner join {{ source('plan', 'plan_approval') }} as approval
        on curve.upload_id = approval.upload_id
)

select
    approved_curve.curve_id,
    approved_curve.day,
    approved_curve.cumulative_share::numeric(9, 8) as cumulative_share,
    approved_curve.upload_id,
    upload.file_name,
    approved_curve.line
from approved_curve
inner join {{ source('plan', 'plan_upload') }} as upload on approved_curve.upload_id = upload.upload_id
where approved_curve.is_in_force
