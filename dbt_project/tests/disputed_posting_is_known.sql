{{ config(
    store_failures=true,
    fail_calc="count(*) filter (where not is_explained)"
) }}

-- Every dispute is about a posting that the fact has, or that lies in quarantine.
select
    dispute.source_system,
    dispute.dispute_id,
    dispute.transaction_id,
    {{ explained_by_quarantine('dispute.source_system', 'posting', 'dispute.transaction_id', "date '0001-01-01'") }} as is_explained
from {{ ref('fct_card_dispute') }} as dispute
where dispute.row_sign = 1
    and not exists (
        select 1
        from {{ ref('fct_card_transaction') }} as posting
        where posting.source_system = dispute.source_system and posting.transaction_id = dispute.transaction_id
    )
