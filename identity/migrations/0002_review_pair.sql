-- Pairs of customers that a trained model finds alike but not alike enough to link: for the steward.

create table if not exists identity.review_pair (
    pair_id text primary key,
    left_source_system text not null,
    left_customer_id text not null,
    right_source_system text not null,
    right_customer_id text not null,
    match_weight numeric,
    match_probability numeric,
    reason text not null,
    model_version text,
    found_at timestamptz not null
);

comment on table identity.review_pair is 'Pairs between match and no match: one row a pair, for the steward';
