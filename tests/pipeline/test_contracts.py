"""The contracts of this project: valid, complete, and the source of what is generated from them."""

import re
from pathlib import Path

import pytest
import yaml

from ingestion.contract import CONTRACT_FOLDER, Contract, iterate, load_contracts
from pipeline import dbt_sources

CONTRACTS = load_contracts()
PII_CLASSES = {"none", "C1", "C2", "C3"}  # JR/T 0171-2020
CHINESE = re.compile(r"[一-鿿]")


@pytest.mark.parametrize("contract", iterate(CONTRACTS), ids=lambda contract: f"{contract.source}.{contract.table}")
def test_every_column_is_described_and_classed(contract: Contract) -> None:
    assert contract.controller and contract.grain
    for column in contract.columns:
        assert column.description, f"{column.name} has no description"
        assert column.classification in PII_CLASSES, f"{column.name} has no PII class"


@pytest.mark.parametrize("source", ["core_banking", "card", "grid_billing"])
def test_users_find_their_term(source: str) -> None:
    """The Chinese term stands beside the English name wherever Chinese users know a column by it."""
    for table in CONTRACTS[source]:
        document = yaml.safe_load((CONTRACT_FOLDER / source / f"{table}.yaml").read_text("utf-8"))
        for column in document["schema"][0]["properties"]:
            assert CHINESE.search(column["businessName"]), f"{source}.{table}.{column['name']}"


@pytest.mark.parametrize("source", ["core_banking", "card", "grid_billing"])
def test_every_simulated_source_proves_what_it_sent(source: str) -> None:
    assert {contract.control.kind for contract in CONTRACTS[source].values()} <= {"control_file", "trailer"}


@pytest.mark.parametrize("source", CONTRACTS)
def test_dbt_sources_are_those_of_the_contracts(source: str) -> None:
    committed = dbt_sources.source_file(source).read_text("utf-8")
    assert committed == dbt_sources.render(source, CONTRACTS[source]), "run `c360 contract dbt-sources` and commit"


def test_dbt_knows_the_controllers_of_the_contracts() -> None:
    project = yaml.safe_load((Path(dbt_sources.STAGING).parents[1] / "dbt_project.yml").read_text("utf-8"))
    of_contracts = {source: next(iter(tables.values())).controller for source, tables in CONTRACTS.items()}
    assert project["vars"]["controllers"] == of_contracts
