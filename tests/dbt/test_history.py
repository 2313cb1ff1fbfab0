"""History is a function of the arrival log (DESIGN 5 and 6): every order of arrival, incremental as rebuilt."""

import itertools
import random
from datetime import date, timedelta
from typing import Any

import pytest
from arrivals import BEGIN, DAY, END, Arrivals, change

MODELS = ("int_account__changes", "dim_account", "dim_account_as_known")
BUILT = ("intermediate.int_account__changes", "core.dim_account", "core.dim_account_as_known")
State = tuple[str, int] | None


def ranges(states: dict[date, State]) -> list[tuple[date, date, str, int]]:
    """The versions that a history of states has, by the plain reading of the rules: the oracle of these tests."""
    found: list[tuple[date, date, str, int]] = []
    before: State = None
    for day in sorted(states):
        state = states[day]
        if state == before:
            continue
        if before is not None:
            found[-1] = (found[-1][0], day, *before)
        if state is not None:
            found.append((day if found else BEGIN, END, *state))
        before = state
    return found


def versions(arrivals: Arrivals, source: str) -> dict[str, list[Any]]:
    """The versions of dim_account by account."""
    rows = arrivals.rows(
        "select account_id, valid_from, valid_to, status, coalesce(interest_rate, 0)::int from core.dim_account "
        "where source_system = %s and not is_inferred order by account_id, valid_from",
        source,
    )
    return {account: [row[1:] for row in group] for account, group in itertools.groupby(rows, lambda row: row[0])}


def test_changes_in_every_order_of_arrival_give_the_same_history(arrivals: Arrivals) -> None:
    chance = random.Random(1)
    history: dict[str, dict[date, State]] = {}
    batches: list[list[dict[str, Any]]] = [[] for _ in range(5)]
    for number in range(200):
        account = f"A{number}"
        history[account] = {}
        alive = False
        for day in sorted(chance.sample([DAY + timedelta(days=n) for n in range(20)], chance.randint(1, 5))):
            if alive and chance.random() < 0.25:
                state, flag = None, "D"
            else:
                state, flag = (chance.choice(["active", "frozen"]), chance.randint(0, 2)), "U" if alive else "I"
            alive = state is not None
            history[account][day] = state
            batches[chance.randrange(5)].append(change(account, flag, day, *(state or ("closed", 0))))
    chance.shuffle(batches)
    stops = sorted(chance.sample(range(1, 5), 2))
    for number, rows in enumerate(batches, start=1):
        arrivals.receive("core_banking", DAY + timedelta(days=30 + number), {"account": rows})
        if number in stops or number == 5:
            arrivals.build(*MODELS)

    assert versions(arrivals, "core_banking") == {
        account: ranges(states) for account, states in history.items() if ranges(states)
    }
    arrivals.rebuild(*MODELS)
    assert arrivals.differences(*BUILT) == {}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2), (2, 3, 1, 0)])
def test_full_extracts_in_every_order_of_arrival_give_the_same_history(
    arrivals: Arrivals, order: tuple[int, ...]
) -> None:
    chance = random.Random(7)
    extracts: list[dict[int, int]] = [
        {account: chance.randint(1, 2) for account in range(25) if chance.random() < 0.7} for _ in range(4)
    ]
    for arrived, number in enumerate(order):
        rows = [
            dict(account_id=account, district_id=district, frequency="POPLATEK MESICNE", date=date(1993, 1, 1))
            for account, district in extracts[number].items()
        ]
        arrivals.receive("berka", DAY + timedelta(days=number), {"account": rows})
        if arrived in (1, 3):  # two extracts in one run
            arrivals.build(*MODELS)

    expected = {}
    for account in range(25):
        states = {
            DAY + timedelta(days=n): ("x", extract[account]) if account in extract else None
            for n, extract in enumerate(extracts)
        }
        if found := ranges(states):
            expected[str(account)] = [(begin, end, district) for begin, end, _, district in found]
    rows = arrivals.rows(
        "select account_id, valid_from, valid_to, organisation_id from core.dim_account "
        "where source_system = 'berka' order by account_id, valid_from"
    )
    assert {
        account: [(begin, end, int(unit)) for _, begin, end, unit in group]
        for account, group in itertools.groupby(rows, lambda row: row[0])
    } == expected
    arrivals.rebuild(*MODELS)
    assert arrivals.differences(*BUILT) == {}


def test_a_row_let_out_of_quarantine_belongs_to_its_full_extract(arrivals: Arrivals) -> None:
    day = [DAY + timedelta(days=n) for n in range(3)]

    def extract(*accounts: int) -> dict[str, list[dict[str, Any]]]:
        return {
            "account": [
                dict(account_id=account, district_id=7, frequency="POPLATEK MESICNE", date=date(1993, 1, 1))
                for account in accounts
            ]
        }

    arrivals.receive("berka", day[0], extract(1, 2, 3))
    arrivals.receive("berka", day[1], extract(1))  # the rows of 2 and 3 lie in quarantine
    arrivals.build(*MODELS)
    arrivals.receive("berka", day[2], extract(1, 2, 3))
    arrivals.build(*MODELS)
    versions_of = (
        "select account_id, valid_from, valid_to from core.dim_account where source_system = 'berka' order by 1, 2"
    )
    gone = [(BEGIN, day[1]), (day[2], END)]
    whole = [(BEGIN, END)]
    assert arrivals.rows(versions_of) == [(a, *v) for a, vs in (("1", whole), ("2", gone), ("3", gone)) for v in vs]

    arrivals.release("berka", day[1], extract(3))
    arrivals.build(*MODELS)
    assert arrivals.rows(versions_of) == [(a, *v) for a, vs in (("1", whole), ("2", gone), ("3", whole)) for v in vs]
    arrivals.rebuild(*MODELS)
    assert arrivals.differences(*BUILT) == {}


def test_knowledge_of_the_past_is_kept(arrivals: Arrivals) -> None:
    arrivals.receive("core_banking", DAY, {"account": [change("A", "I", DAY, rate=1)]})
    arrivals.build(*MODELS)
    arrivals.receive(
        "core_banking", DAY + timedelta(days=9), {"account": [change("A", "U", DAY + timedelta(days=9), rate=3)]}
    )
    arrivals.build(*MODELS)
    late = {"account": [change("A", "U", DAY + timedelta(days=5), rate=2)]}
    arrivals.receive("core_banking", DAY + timedelta(days=5), late)
    arrivals.build(*MODELS)
    rows = arrivals.rows(
        "select valid_from, valid_to, interest_rate::int, dense_rank() over (order by known_from), "
        "known_to = 'infinity' "
        "from core.dim_account_as_known where account_id = 'A' order by known_from, valid_from"
    )
    fifth, ninth = DAY + timedelta(days=5), DAY + timedelta(days=9)
    assert rows == [
        (BEGIN, END, 1, 1, False),
        (BEGIN, ninth, 1, 2, False),
        (ninth, END, 3, 2, True),
        (BEGIN, fifth, 1, 3, True),
        (fifth, ninth, 2, 3, True),
    ]


def test_one_date_keeps_its_last_sequence_and_a_life_its_begin(arrivals: Arrivals) -> None:
    later = DAY + timedelta(days=3)
    rows = [
        change("A", "I", DAY, rate=1, sequence=1),
        change("A", "U", DAY, rate=2, sequence=2),
        change("A", "D", later, rate=2, sequence=3),
        change("A", "I", later + timedelta(days=3), rate=2, sequence=4),
    ]
    arrivals.receive("core_banking", DAY, {"account": rows})
    arrivals.build(*MODELS)
    assert arrivals.rows(
        "select valid_from, valid_to, covers_to, life_from, interest_rate::int, is_current "
        "from core.dim_account where account_id = 'A' order by valid_from"
    ) == [
        (BEGIN, later, later + timedelta(days=3), DAY, 2, False),
        (later + timedelta(days=3), END, END, later + timedelta(days=3), 2, True),
    ]


def test_a_run_that_ended_between_two_models_loses_nothing(arrivals: Arrivals) -> None:
    arrivals.receive("core_banking", DAY, {"account": [change("A", "I", DAY), change("B", "I", DAY)]})
    arrivals.build(*MODELS)
    arrivals.receive(
        "core_banking", DAY + timedelta(days=1), {"account": [change("A", "U", DAY + timedelta(days=1), "frozen")]}
    )
    arrivals.build("int_account__changes")  # and here it died
    arrivals.receive(
        "core_banking", DAY + timedelta(days=2), {"account": [change("B", "U", DAY + timedelta(days=2), "frozen")]}
    )
    arrivals.build("dim_account")  # takes up what the log has, and no more
    assert {row[0] for row in arrivals.rows("select account_id from core.dim_account where status = 'frozen'")} == {"A"}
    arrivals.build(*MODELS)
    assert {row[0] for row in arrivals.rows("select account_id from core.dim_account where status = 'frozen'")} == {
        "A",
        "B",
    }
    arrivals.rebuild(*MODELS)
    assert arrivals.differences(*BUILT) == {}
    arrivals.build(*MODELS)  # nothing new: nothing changes
    assert arrivals.differences(*BUILT) == {}
