-- The bank names no branches: an account tells the district of its branch. A district with its branches is a branch here.
select
    'berka' as source_system,
    {{ controller_of('berka') }} as controller_id,
    source_row.a1::text as organisation_id,
    'S' as change_flag,
    0 as change_seq,
    loaded.business_date as effective_date,
    source_row.a2 as organisation_name,
    null as parent_id,
    'branch' as organisation_level,
    null as licence_no,
    source_row.a3 as region_code,
    null as address,
    null as phone,
    null as star_level,
    null as opened_on,
    null as closed_on,
    {{ lineage() }}
from {{ source('berka', 'district') }} as source_row
inner join {{ source('ops', 'loaded_file') }} as loaded on loaded.file_id = source_row._file_id
