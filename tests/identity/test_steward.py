"""Stewards on a real database: they decide as themselves, and what they decided outlasts days, changes and rules."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from test_resolution import MONDAY, TUESDAY, A, B, customer, log, placed, stage, staged  # noqa: F401

from identity import StewardRefused, resolve
from identity.placement import own_party_id
from identity.steward import decide, evidence, queue
from warehouse.connection import connect
from warehouse.roles import apply_roles

C1, C2, K1, G1 = ("core_banking", "C1"), ("core_banking", "C2"), ("card", "K1"), ("grid_billing", "1")


@pytest.fixture
def stella(staged: psycopg.Connection) -> Iterator[psycopg.Connection]:  # noqa: F811
    """A session of the demo's steward."""
    apply_roles(staged)
    with connect("stella", autocommit=True) as session:
        yield session


def everything_again(owner: psycopg.Connection) -> None:
    """Every customer changes, so that the next run looks at all of them."""
    owner.execute("update intermediate.int_customer__identifiers set customer_name = customer_name || ' '")
    resolve(owner, TUESDAY)


def test_duplicates_of_one_source_become_one_party_by_a_steward_and_stay_one(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1), customer(*C2), customer(*G1))
    resolve(staged, MONDAY)
    (item,) = queue(stella)
    assert (item.left, item.right, item.reason) == (C1, C2, "same_source")

    decided = decide(stella, "link", C2, C1, "same passport shown at the counter")
    assert decided.moved == [(C2, own_party_id(C2), own_party_id(C1))]
    assert queue(stella) == []
    assert staged.execute(
        "select event_type, rule, event.reason, decision.reason, decided_by, verdict "
        "from identity.event inner join identity.decision using (decision_id)"
    ).fetchall() == [("link", "steward", "linked_by_steward", "same passport shown at the counter", "stella", "link")]
    before = placed(staged)
    assert set(before.values()) == {own_party_id(C1)}
    everything_again(staged)
    assert placed(staged) == before and queue(stella) == []


def test_an_unlinked_pair_stays_apart_although_their_numbers_are_equal(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1, first_known_at=datetime(2026, 11, 1, tzinfo=UTC)), customer(*K1), customer(*G1))
    resolve(staged, MONDAY)
    assert set(placed(staged).values()) == {own_party_id(C1)}
    decided = decide(stella, "unlink", G1, C1, "father and son: the grid has the father's number on file")
    assert decided.moved == [(G1, own_party_id(C1), own_party_id(G1))]
    apart = placed(staged)
    assert apart == {C1: own_party_id(C1), K1: own_party_id(C1), G1: own_party_id(G1)}
    everything_again(staged)
    assert placed(staged) == apart and queue(stella) == [], "what was judged does not come back"

    staged.execute("update identity.standardised_customer set rule_version = 'before'")
    resolve(staged, TUESDAY)
    assert placed(staged) == apart, "nor by new rules"

    decide(stella, "link", G1, C1, "it was the son after all")
    assert set(placed(staged).values()) == {own_party_id(C1)}


def test_a_link_waits_while_a_controller_has_no_basis_and_holds_again_when_it_has(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1), customer(*G1, id_number=B, has_matching_basis=False))
    resolve(staged, MONDAY)
    with pytest.raises(StewardRefused, match="no legal basis"):
        decide(stella, "link", C1, G1, "known to the manager")
    assert staged.execute("select count(*) from identity.decision").fetchone() == (0,), "nothing is left of it"

    def basis(holds: bool) -> set[str]:
        staged.execute("update intermediate.int_customer__identifiers set has_matching_basis = %s", [holds])
        resolve(staged, TUESDAY)
        return set(placed(staged).values())

    assert len(basis(True)) == 2
    decide(stella, "link", C1, G1, "known to the manager")
    assert len(set(placed(staged).values())) == 1
    assert len(basis(False)) == 2
    assert len(basis(True)) == 1


def test_what_contradicts_an_earlier_judgement_or_says_nothing_is_refused(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1), customer(*K1), customer(*G1, id_number=B))
    resolve(staged, MONDAY)
    decide(stella, "unlink", K1, G1, "different faces")
    before = log(staged)
    for say, match in (
        (lambda: decide(stella, "link", C1, G1, "I think so"), "decision 1 keeps customers of these two parties apart"),
        (lambda: decide(stella, "link", C1, G1, " "), "reason"),
        (lambda: decide(stella, "link", C1, C1, "x"), "two customers"),
        (lambda: decide(stella, "unlink", C1, ("card", "?"), "x"), "card/[?] is no customer"),
    ):
        refused: Callable[[], object] = say
        with pytest.raises(StewardRefused, match=match):
            refused()
    assert log(staged) == before


def test_pairs_of_a_model_wait_with_their_likeness_and_leave_when_dismissed(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1), customer(*G1, id_number=B))
    resolve(staged, MONDAY)
    found = "insert into identity.review_pair values ('7', %s, %s, %s, %s, 3.2, 0.9, 'review_band', 'm1', now()) " \
        "on conflict (pair_id) do update set found_at = clock_timestamp()"  # fmt: skip
    staged.execute(found, [*C1, *G1])
    (item,) = queue(stella)
    assert (item.item, item.left, item.right, float(item.match_probability or 0)) == ("P7", C1, G1, 0.9)
    assert decide(stella, "dismiss", C1, G1, "nothing to see").moved == []
    assert queue(stella) == [] and len(set(placed(staged).values())) == 2
    staged.execute(found, [*C1, *G1])
    assert [item.item for item in queue(stella)] == ["P7"], "found again: new evidence"


def test_a_changed_identifier_counts_again_once_a_steward_has_judged(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1), customer(*K1))
    resolve(staged, MONDAY)
    staged.execute("update intermediate.int_customer__identifiers set id_number = %s where customer_id = 'K1'", [B])
    resolve(staged, TUESDAY)
    (item,) = queue(stella)
    assert (item.left, item.right, item.reason) == (K1, C1, "identifier_changed")
    decide(stella, "unlink", K1, C1, "the card went to another person")
    stage(staged, customer(*G1, id_number=B))
    resolve(staged, TUESDAY)
    assert placed(staged)[G1] == placed(staged)[K1] == own_party_id(K1) != placed(staged)[C1]


def test_evidence_is_masked_and_a_decision_bears_the_login_that_made_it(
    staged: psycopg.Connection,  # noqa: F811
    stella: psycopg.Connection,
) -> None:
    stage(staged, customer(*C1), customer(*K1))
    resolve(staged, MONDAY)
    seen = evidence(stella, C1)
    assert (seen["customer_name"], seen["id_number"], seen["customers_of_party"]) == ("张**", f"****{A[-4:]}", 2)
    assert evidence(stella, C1, clear=True)["customer_name"] == "张伟民"
    stella.execute(
        "insert into identity.decision (verdict, left_source_system, left_customer_id, right_source_system, "
        "right_customer_id, reason, decided_at, decided_by) "
        "values ('unlink', 'card', 'K1', 'core_banking', 'C1', 'x', '2000-01-01', 'audrey')"
    )
    assert staged.execute("select decided_by, decided_at > '2026-01-01' from identity.decision").fetchall() == [
        ("stella", True)
    ]
    for statement in ("update identity.decision set reason = 'y'", "delete from identity.decision"):
        with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
            stella.execute(statement)
    with connect("audrey", autocommit=True) as auditor, pytest.raises(psycopg.errors.InsufficientPrivilege):
        auditor.execute("set default_transaction_read_only = off")
        decide(auditor, "unlink", C1, K1, "x")
