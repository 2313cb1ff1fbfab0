"""The registry of personal data is that of the built warehouse, and what is forgotten is named with what to do."""

import psycopg
from small_world import World

from pipeline import personal_data
from pipeline.personal_data import Survey


def test_the_registry_is_current_and_nothing_is_forgotten(world: World, owner: psycopg.Connection) -> None:
    survey = Survey(owner)
    assert survey.problems == []
    anew = "write it anew: python -m pipeline.personal_data"
    assert personal_data.FILE.read_text("utf-8") == personal_data.as_csv(survey.entries), anew
    assert personal_data.PAGE.read_text("utf-8") == personal_data.page(survey.entries), anew
    held = {(entry.relation, entry.column) for entry in survey.entries}
    for place in (
        ("raw_core_banking.customer", "mobile"),
        ("intermediate.int_customer__changes", "attribute_hash"),
        ("core.dim_party", "party_name"),
        ("mart_data.mart_customer_360", "age_band_from"),
        ("identity.standardised_customer", "phone_key"),
        ("assessment.sealed_evidence", "customer_name_masked"),
    ):
        assert place in held


def test_a_new_table_or_column_without_a_class_is_named(world: World, owner: psycopg.Connection) -> None:
    careless = "select mobile as channel_name from raw_core_banking.customer"
    owner.execute("create table ops.forgotten (note text); alter table identity.decision add column nickname text")
    try:
        problems = Survey(owner, {"core.dim_channel": careless}).problems
    finally:
        owner.execute("drop table ops.forgotten; alter table identity.decision drop column nickname")
    for said in (
        "ops.forgotten stands in no registry: list its columns",
        "identity.decision.nickname has no class: give it one in pipeline/personal_data.yaml",
        "core.dim_channel.channel_name takes its value from raw_core_banking.customer.mobile (C2) and has no class",
        "core.dim_channel holds personal data and no key by which the rows of a person",
    ):
        assert any(problem.startswith(said) for problem in problems), said
