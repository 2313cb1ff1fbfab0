{{ config(
    materialized='incremental',
    incremental_strategy='append',
    full_refresh=false,
    pre_hook="{{ take_up() }}",
    post_hook=["{{ analyze_grown() }}", "{{ rekey('card', 'fact.authorised_at') }}"],
    indexes=[{'columns': ['card_key']}, {'columns': ['file_id'], 'type': 'brin'}]
) }}

with row_taken_up as (
    {{ fact_rows('card_authorisation') }}
),

resolved as (
    select
        row_taken_up.source_system,
        row_taken_up.controller_id,
        row_taken_up.authorisation_id,
        {{ version_keys('card', 'card', 'row_taken_up.card_id') }},
        coalesce(category.merchant_category_key, case when row_taken_up.mcc is null then -2 else -1 end) as merchant_category_key,
        row_taken_up.card_id,
        row_taken_up.authorised_at,
        row_taken_up.amount,
        row_taken_up.currency,
        row_taken_up.mcc,
        row_taken_up.merchant_id,
        row_taken_up.merchant_name,
        row_taken_up.entry_mode,
        row_taken_up.response_code,
        row_taken_up.is_approved,
        row_taken_up.row_sign,
        row_taken_up.file_id,
        row_taken_up.line,
        row_taken_up.business_date,
        row_taken_up.known_at
    from row_taken_up
    {{ join_version('card', 'card', 'row_taken_up.source_system', 'row_taken_up.card_id', 'row_taken_up.authorised_at') }}
    left join {{ ref('dim_merchant_category') }} as category on category.mcc = row_taken_up.mcc
)

{{ with_taken_back('card_authorisation', 'resolved') }}
