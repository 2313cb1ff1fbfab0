"""A party's page as each may see it, what waits for a steward, and what the golden record keeps of values in doubt."""

import re

import psycopg
import pytest
from small_world import World
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.party import PartyUnknown, may_see_clear, read_party
from warehouse.connection import connect

SHARED = """
select placed.party_id
from core.bridge_party_source as placed
inner join core.bridge_party_attribute as attribute using (party_key)
where attribute.attribute_name = 'mobile' and attribute.is_current and attribute.is_conflict
    and attribute.controller_id = 'grid' and {} exists (
        select 1 from core.bridge_sharing_basis as basis
        where basis.party_key = placed.party_key and basis.is_current and basis.to_controller_id = 'bank'
    )
group by placed.party_id
having count(distinct placed.controller_id) = 2
order by 1 limit 1
"""


def test_a_page_is_masked_and_the_clear_one_is_for_those_who_were_granted_it(
    world: World, owner: psycopg.Connection
) -> None:
    party_id, customer_id, mobile, name = owner.execute(
        "select party_id, customer_id, max(attribute_value) filter (where attribute_name = 'mobile'), "
        "max(attribute_value) filter (where attribute_name = 'party_name') "
        "from core.bridge_party_attribute where source_system = 'core_banking' and is_current and is_surviving "
        "group by 1, 2 having count(*) filter (where attribute_name in ('mobile', 'party_name')) = 2 order by 1 limit 1"
    ).fetchone()  # type: ignore[misc]
    for login, clear, reads_history in (
        ("dora", True, True),
        ("stella", True, True),
        ("audrey", False, True),
        ("bianca", False, False),
    ):
        with connect(login, autocommit=True) as session:
            assert may_see_clear(session) == clear
            page = read_party(session, f"core_banking/{customer_id}")
            asked = read_party(session, party_id, clear=True)
        assert page.party_id == party_id
        values = {attribute: value for attribute, value, *_ in page.golden["bank"]}
        assert values["mobile"] == f"****{mobile[-4:]}" and values["party_name"].startswith(f"{name[0]}*")
        assert mobile not in str(page) and name not in str(page)
        assert (mobile in str(asked)) == clear
        assert bool(page.members) == bool(page.history) == reads_history
    told = CliRunner().invoke(app, ["party", party_id, "--as", "bianca"])
    assert told.exit_code == 0 and f"****{mobile[-4:]}" in told.stdout and "Golden record" in told.stdout


def test_a_controller_sees_the_others_values_only_with_a_basis(world: World, owner: psycopg.Connection) -> None:
    for basis, sources in (("", {"bank", "grid"}), ("not", {"bank"})):
        party = owner.execute(SHARED.format(basis)).fetchone()  # type: ignore[call-overload]
        assert party, "this world has such a party"
        told = owner.execute(
            "select array_agg(distinct placed.controller_id) from mart.mart_customer_attribute as attribute "
            "inner join core.bridge_party_source as placed using (source_system, customer_id) "
            "where attribute.controller_id = 'bank' and attribute.party_id = %s",
            party,
        ).fetchone()
        assert set(told[0]) == sources  # type: ignore[index]
    with connect("gary", autocommit=True) as session:
        only_bank = owner.execute(
            "select party_id from core.bridge_party_source group by party_id "
            "having bool_and(controller_id = 'bank') order by 1 limit 1"
        ).fetchone()
        with pytest.raises(PartyUnknown, match="nothing is published"):
            read_party(session, only_bank[0])  # type: ignore[index]


def test_what_is_doubted_stays_as_it_was_told(world: World, owner: psycopg.Connection) -> None:
    """CTL-51: of the customers as they are now known, each value is in the golden record, doubted or not."""
    told, kept, doubted = owner.execute(
        """
        select count(*), count(attribute.attribute_value), count(attribute.doubt_codes)
        from core.dim_customer as customer
        inner join core.bridge_party_source as placed using (customer_key)
        cross join lateral (
            values ('mobile', mobile), ('id_number', id_number), ('gender', gender)
        ) as said (name, value)
        left join core.bridge_party_attribute as attribute
            on attribute.customer_key = customer.customer_key and attribute.attribute_name = said.name
            and attribute.is_current and attribute.attribute_value = said.value
        where customer.covers_to = date '9999-12-31' and said.value is not null
        """
    ).fetchone()  # type: ignore[misc]
    assert told == kept > 300
    assert doubted > 0
    assert owner.execute(
        "select count(*) from core.bridge_party_attribute "
        "where attribute_name = 'mobile' and doubt_codes is null "
        r"and attribute_value !~ '^(\+86 )?1[3-9]\d{9}$'"
    ).fetchone() == (0,)


def test_a_steward_sees_the_queue_and_two_customers_side_by_side(world: World) -> None:
    run = CliRunner().invoke
    listed = run(app, ["steward", "list"])
    item = re.search(r"\b[EP][0-9a-f]+\b", listed.stdout)
    assert listed.exit_code == 0 and item, listed.stdout
    shown = run(app, ["steward", "show", item.group()])
    assert shown.exit_code == 0 and "customer name" in shown.stdout and "mobile" in shown.stdout
    assert not re.search(r"\b1[3-9]\d{9}\b|\b\d{17}[\dX]\b", shown.stdout), "no number in clear"
    refused = run(app, ["steward", "link", item.group(), "--reason", "x", "--as", "audrey"])
    assert isinstance(refused.exception, psycopg.Error), "an auditor decides nothing"
    assert run(app, ["steward", "link", "E0", "--reason", "x"]).exit_code == 2
