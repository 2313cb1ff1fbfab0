{{ config(tags=['quality']) }}

-- Parties against the known truth of a simulated world, as the step identify measured them; empty in a warehouse of real data.
select
    'c360'::text as controller_id,
    business_date,
    model_version,
    stratum,
    true_pairs,
    resolvable_pairs,
    resolvable_found,
    linked_pairs,
    linked_true,
    review_pairs,
    review_true
from {{ source('identity', 'quality') }}
