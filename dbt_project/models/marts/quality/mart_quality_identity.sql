{{ config(tags=['quality']) }}

-- Precision and recall of the parties against a known truth, for worlds that have one (simulated ones).
select
    controller_id,
    business_date,
    model_version,
    stratum,
    true_pairs,
    resolvable_pairs,
    resolvable_found,
    linked_pairs,
    linked_true,
    review_pairs,
    review_true,
    round(linked_true::numeric / nullif(linked_pairs, 0), 6)::numeric(9, 6) as precision_score,
    round(resolvable_found::numeric / nullif(resolvable_pairs, 0), 6)::numeric(9, 6) as recall_score,
    round(
        2.0 * linked_true * resolvable_found
        / nullif(linked_true * resolvable_pairs + resolvable_found * linked_pairs, 0), 6
    )::numeric(9, 6) as f1_score,
    round(review_true::numeric / nullif(review_pairs, 0), 6)::numeric(9, 6) as review_precision
from {{ ref('fct_identity_quality') }}
