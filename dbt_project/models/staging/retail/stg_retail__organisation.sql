select
    'retail' as source_system,
    {{ controller_of('retail') }} as controller_id,
    source_row.organisation_id,
    source_row.change_flag,
    source_row.change_seq,
    source_row.effective_date,
    source_row.organisation_name,
    source_row.parent_id,
    case source_row.organisation_level
        when 'city_bureau' then 'head_office'
        when 'county_department' then 'branch'
        when 'sub_department' then 'outlet'
    end as organisation_level,
    null as licence_no,
    source_row.region_code,
    source_row.address,
    null as phone,
    null as star_level,
    source_row.opened_on,
    source_row.closed_on,
    {{ lineage() }}
from {{ source('retail', 'organisation') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
