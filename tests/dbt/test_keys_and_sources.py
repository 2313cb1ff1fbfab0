"""Keys never change; what the project says of sources is what their contracts say."""

import hashlib
from datetime import date

import yaml
from arrivals import Arrivals

from ingestion.contract import load_contracts
from pipeline.transformation import PROJECT

# Published keys: they stand in links, reports and other systems. A change here breaks all of them.
GOLDEN = {
    ("core_banking", "account", "622202100000000001"): 7093031286431823046,
    ("grid_billing", "customer", "0001234567890"): 8053281029575429431,
    ("berka", "customer", "1"): 2343967768766261507,
    ("c360", "party", "张伟"): 1370667675579084769,
}


def unit(organisation: str, parent: str | None = None) -> dict[str, object]:
    """One row of core_banking.organisation."""
    day = date(2026, 11, 1)
    return dict(
        change_flag="I",
        change_seq=1,
        effective_date=day,
        organisation_id=organisation,
        organisation_name=organisation,
        parent_id=parent,
        organisation_level="branch",
        opened_on=day,
    )


def durable_key(source: str, entity: str, natural_key: str) -> int:
    """The key by DESIGN decision 6, computed without the macro."""
    digest = hashlib.sha256(f"{source}\x1f{entity}\x1f{natural_key}".encode()).digest()
    return int.from_bytes(digest[:8], "big") & (2**63 - 1)


def test_golden_keys() -> None:
    assert {member: durable_key(*member) for member in GOLDEN} == GOLDEN
    listed = (PROJECT / "tests" / "golden_durable_keys.sql").read_text("utf-8")
    assert all(str(key) in listed for key in GOLDEN.values())


def test_keys_in_the_database_and_an_override_after_a_collision(arrivals: Arrivals) -> None:
    arrivals.session.execute(
        "insert into ops.key_override (source_system, entity, natural_key, durable_key, reason) "
        "values ('core_banking', 'organisation', 'O2', 4711, 'collision')"
    )
    arrivals.receive(
        "core_banking", date(2026, 11, 1), {"organisation": [unit("O1"), unit("O2", "O1"), unit("O3", "O2")]}
    )
    arrivals.build("int_organisation__changes", "dim_organisation")
    assert dict(
        arrivals.rows("select organisation_id, organisation_key from core.dim_organisation where organisation_key > 0")
    ) == {
        "O1": durable_key("core_banking", "organisation", "O1"),
        "O2": 4711,
        "O3": durable_key("core_banking", "organisation", "O3"),
    }
    assert arrivals.rows("select parent_organisation_key from core.dim_organisation where organisation_id = 'O3'") == [
        (4711,)
    ]


def test_controllers_are_those_of_the_contracts() -> None:
    project = yaml.safe_load((PROJECT / "dbt_project.yml").read_text("utf-8"))
    in_contracts = {
        source: {contract.controller for contract in tables.values()} for source, tables in load_contracts().items()
    }
    assert in_contracts == {source: {controller} for source, controller in project["vars"]["controllers"].items()}
