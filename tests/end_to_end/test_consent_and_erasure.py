"""Consents withdrawn in a day's extracts and persons erased, the whole way; the world is put back afterwards."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
import pytest
from small_world import NEXT, SCALE, SEED, World

import ingestion
import simulator
from pipeline import marts, overwriting, steps, transformation
from warehouse.connection import create_database, url
from warehouse.settings import get_settings

READ = ("mart_customer_360", "mart_customer_timeline", "mart_customer_attribute")
SHARED = """
select basis.party_key, consent.source_system, consent.consent_id
from core.bridge_sharing_basis as basis
inner join intermediate.int_consent__changes as consent on consent.consent_id = basis.consent_ids
inner join core.bridge_party_source as placed
    on placed.source_system = consent.source_system and placed.customer_id = consent.customer_id
    and placed.party_key = basis.party_key
where basis.is_current and basis.from_controller_id = %s and basis.party_key <> all(%s)
    and exists (
        select from core.fct_party_month as month where month.party_key = basis.party_key
        and month.controller_id = basis.from_controller_id and month.as_of >= basis.valid_from
    )
order by basis.party_key limit 1
"""
MATCHED = """
select placed.party_key, consent.source_system, consent.consent_id
from core.bridge_party_source as placed
inner join intermediate.int_consent__changes as consent using (source_system, customer_id)
where consent.purpose = 'party_matching' and consent.source_system = 'grid_billing' and consent.withdrawn_on is null
    and placed.party_key <> all(%s)
    and exists (
        select from core.bridge_party_source as other
        where other.party_key = placed.party_key and other.controller_id = 'bank'
    )
    and not exists (
        select from core.bridge_party_source as other
        where other.party_key = placed.party_key and other.controller_id = 'grid'
            and other.customer_id <> placed.customer_id
    )
order by placed.party_key limit 1
"""
KNOWN = """
select placed.customer_id, customer.{value}, placed.party_key
from core.bridge_party_source as placed
inner join core.dim_customer as customer on customer.customer_key = placed.customer_key and customer.is_current
where placed.source_system = %s and placed.party_key <> all(%s) and customer.party_kind = 'person'
    and length(customer.{value}) >= 11 and {also}
    and not exists (
        select from core.dim_customer as one
        inner join core.bridge_party_source as other using (customer_key)
        where one.{value} = customer.{value}
            and (other.party_key, other.controller_id) <> (placed.party_key, placed.controller_id)
    )
order by placed.customer_id limit 1
"""
LINKED = (
    "exists (select from core.bridge_party_source as other "
    "where other.party_key = placed.party_key and other.controller_id = 'bank')"
)
SEALED = "exists (select from assessment.sealed_evidence as sealed where sealed.customer_id = placed.customer_id)"


@dataclass(frozen=True)
class Person:
    """A person whose erasure was approved, with a text that stood of nobody else."""

    customer_id: str
    told: str
    party_key: int


@dataclass(frozen=True)
class Changed:
    """The parties about which something happened on the day."""

    bank_to_grid: int
    grid_to_bank: int
    kept: int
    unmatched: int
    consumer: Person
    client: Person
    settled: Person
    session: psycopg.Connection


@pytest.fixture(scope="module")
def changed(finished_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """The day: three consents withdrawn, three persons erased; then what follows up to a publication."""
    saved = f"{finished_world.database}_before"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("C360_DATABASE", finished_world.database)
        _leave(finished_world.database)
        create_database(saved, finished_world.database)
        with psycopg.connect(url(), autocommit=True) as session:
            yield _the_day(session, tmp_path_factory.mktemp("day"))
        _leave(finished_world.database)
        with psycopg.connect(url(database="postgres"), autocommit=True) as session:
            session.execute(f'drop database "{finished_world.database}" with (force)')
            session.execute(f'alter database "{saved}" rename to "{finished_world.database}"')


def _leave(database: str) -> None:
    with psycopg.connect(url(database="postgres"), autocommit=True) as session:
        session.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database])


def _the_day(session: psycopg.Connection, home: Path) -> Changed:
    def chosen(query: str, *values: object) -> tuple:
        found = session.execute(query, values).fetchone()  # type: ignore[call-overload]
        assert found, "this world has one"
        return found

    (to_grid, *given), taken = chosen(SHARED, "bank", []), []
    taken.append(to_grid)
    to_bank, *got = chosen(SHARED, "grid", taken)
    taken.append(to_bank)
    kept, *_ = chosen(SHARED, "grid", taken)
    taken.append(kept)
    unmatched, *matching = chosen(MATCHED, taken)
    taken.append(unmatched)
    consumer = Person(*chosen(KNOWN.format(value="address", also=LINKED), "grid_billing", taken))
    taken.append(consumer.party_key)
    client = Person(*chosen(KNOWN.format(value="mobile", also=SEALED), "core_banking", taken))
    taken.append(client.party_key)
    settled = Person(*chosen(KNOWN.format(value="mobile", also=SEALED), "core_banking", taken))
    session.execute(  # the accounts of one were closed long ago: the law lets him go after ten years
        "update core.dim_account set closed_on = date '2026-11-01' where customer_id = %s", [settled.customer_id]
    )
    session.execute(
        "update core.dim_card_account set closed_on = date '2026-11-01' where customer_key in ("
        "select customer_key from core.bridge_party_source where party_key = %s)",
        [settled.party_key],
    )
    for table, person in (("customer", client), ("customer", settled), ("consumer", consumer)):
        source = "grid_billing" if table == "consumer" else "core_banking"
        assert steps.request_erasure(source, table, person.customer_id, "letter of 2026-11-01", "stella")
    for (erasure_id,) in session.execute("select erasure_id from ops.erasure").fetchall():
        steps.decide_erasure(erasure_id, "approve", "the person was identified", "sophie")
    _ingest(session, home, [given, got, matching])
    steps.erase(date(2026, 11, 2))
    steps.stage(NEXT)
    steps.identify(NEXT)
    transformation.run("run", "--select", *(f"+{mart}" for mart in READ), "--exclude", "tag:stage")
    overwriting.overwrite(session, ("mart_build",))
    marts.publish("the day", NEXT, results=False)
    return Changed(to_grid, to_bank, kept, unmatched, consumer, client, settled, session)


def _ingest(session: psycopg.Connection, home: Path, withdrawn: list[list[str]]) -> None:
    """The extracts of the day with consents withdrawn in them, through ingestion."""
    settings = get_settings().model_copy(update={"home": home})
    simulator.simulate(settings, seed=SEED, scale=SCALE, daily_dates=[NEXT])
    for source, consent_id in withdrawn:
        contract = steps.contracts()[source]["consent"]
        path = settings.landing / source / NEXT.isoformat() / contract.file_name(NEXT)
        columns = contract.column_names
        names = ", ".join(f"{name}::text" for name in columns)
        sent = session.execute(
            f"select {names} from raw_{source}.consent where consent_id = %s order by change_seq desc limit 1",  # type: ignore[arg-type]
            [consent_id],
        ).fetchone()
        row = dict(zip(columns, sent, strict=True))  # type: ignore[arg-type]
        row |= {"change_flag": "U", "change_seq": str(int(row["change_seq"]) + 1)}
        row |= {"effective_date": NEXT.isoformat(), "withdrawn_on": NEXT.isoformat()}
        if source == "core_banking":
            line = "|".join(value or "" for value in row.values()) + "\r\n"
            path.write_bytes(path.read_bytes() + line.encode("gb18030"))
        else:
            line = json.dumps(row | {"change_seq": int(row["change_seq"])}, ensure_ascii=False) + "\n"
            path.write_bytes(path.read_bytes() + line.encode())
        control = path.with_suffix(".ctl")
        head, told = control.read_text("utf-8").splitlines()[:2]
        name, rows, amount, _ = told.split("|")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        control.write_text(f"{head}\n{name}|{int(rows) + 1}|{amount}|{digest}\n", "utf-8")
        for receipt in path.parent.glob("consent_*.receipt.json"):
            receipt.unlink()
    for source in steps.SIMULATED_SOURCES:
        report = ingestion.ingest(source, NEXT, landing=settings.landing, contracts=steps.contracts())
        assert report.is_complete, steps.incomplete(report)


def seen(changed: Changed, controller: str, party_key: int, provided_by: str) -> tuple[int, int, int]:
    """What a controller sees of a party that another provided: months, events, and golden values."""
    bank_figures = "account_count" if provided_by == "bank" else "service_point_count"
    return tuple(  # type: ignore[return-value]
        changed.session.execute(query, [controller, party_key]).fetchone()[0]  # type: ignore[index,call-overload]
        for query in (
            f"select count({bank_figures}) from mart.mart_customer_360 where controller_id = %s and party_key = %s",
            "select count(*) from mart.mart_customer_timeline where controller_id = %s and party_key = %s "
            f"and provided_by = '{provided_by}'",
            "select count(*) from mart.mart_customer_attribute as told inner join core.bridge_party_source as placed "
            "using (source_system, customer_id) where told.controller_id = %s and told.party_key = %s "
            f"and placed.controller_id = '{provided_by}'",
        )
    )


def test_withdrawn_from_the_bank_the_grid_sees_nothing_of_it(changed: Changed) -> None:
    assert seen(changed, "grid", changed.bank_to_grid, "bank") == (0, 0, 0)
    assert seen(changed, "bank", changed.bank_to_grid, "bank")[0] > 0, "the bank's own"
    ended = "select max(valid_to) from core.bridge_sharing_basis where party_key = %s and from_controller_id = 'bank'"
    assert changed.session.execute(ended, [changed.bank_to_grid]).fetchone() == (NEXT,)


def test_withdrawn_from_the_grid_the_bank_sees_nothing_of_it_and_others_stay(changed: Changed) -> None:
    assert seen(changed, "bank", changed.grid_to_bank, "grid") == (0, 0, 0)
    assert seen(changed, "grid", changed.grid_to_bank, "grid")[0] > 0, "the grid's own"
    assert min(seen(changed, "bank", changed.kept, "grid")) > 0, "who withdrew nothing is seen as before"


def test_without_a_basis_for_matching_the_party_is_two(changed: Changed) -> None:
    told = changed.session.execute(
        "select distinct event.reason, event.event_type from identity.event as event "
        "inner join core.bridge_party_source as placed on placed.source_system = event.source_system "
        "and placed.customer_id = event.customer_id where event.business_date = %s and event.event_type = 'unlink'",
        [NEXT],
    ).fetchall()
    assert told == [("matching_basis_ended", "unlink")]
    for party_key in (changed.unmatched, changed.consumer.party_key):
        controllers = changed.session.execute(
            "select count(distinct controller_id) from core.bridge_party_source where party_key = %s", [party_key]
        ).fetchone()
        assert controllers == (1,)
    assert (
        max(*seen(changed, "bank", changed.unmatched, "grid"), *seen(changed, "grid", changed.unmatched, "bank")) == 0
    )


def standing(session: psycopg.Connection, value: str) -> set[str]:
    """Every table of the whole database in which a text stands."""
    tables = session.execute(
        "select format('%I.%I', nspname, relname), string_agg(format('%I::text', attname), ', ') from pg_attribute "
        "inner join pg_class on pg_class.oid = attrelid inner join pg_namespace on pg_namespace.oid = relnamespace "
        "where attnum > 0 and not attisdropped and relkind = 'r' and nspname !~ '^(pg_|information_schema)' "
        "and format_type(atttypid, null) in ('text', 'text[]', 'jsonb') group by 1"
    ).fetchall()
    return {
        table
        for table, columns in tables
        if session.execute(
            f"select exists (select from {table} where position(%s in concat_ws(' ', {columns})) > 0)",  # type: ignore[arg-type]
            [value],
        ).fetchone() == (True,)
    }  # fmt: skip


def test_a_consumer_is_gone_from_every_table(changed: Changed) -> None:
    """So no rebuild can bring him back: neither raw nor history nor a publication that is kept has him."""
    assert standing(changed.session, changed.consumer.told) == set()
    account = "select count(*) from ops.source_file where rows_sent <> rows_loaded + rows_quarantined + rows_erased"
    assert changed.session.execute(account).fetchone() == (0,)
    amounts = "select count(*) from core.fct_grid_bill where customer_id = %s and amount <> 0"
    assert changed.session.execute(amounts, [changed.consumer.customer_id]).fetchone()[0] > 0  # type: ignore[index]


def test_what_the_law_holds_is_kept_and_shown_to_nobody(changed: Changed) -> None:
    state = "select completed_at, held_until from ops.erasure where source_system = 'core_banking' and key = %s"
    completed, held_until = changed.session.execute(state, [changed.client.customer_id]).fetchone()  # type: ignore[misc]
    assert completed is None and held_until == date(9999, 12, 31), "as long as an account is open"
    kept = standing(changed.session, changed.client.told)
    assert kept >= {"raw_core_banking.customer", "core.dim_customer"}
    assert not {table for table in kept if table.startswith("mart") and "regulatory" not in table}


def test_when_the_hold_ends_evidence_goes_and_the_figures_stay(changed: Changed) -> None:
    session, person = changed.session, changed.settled
    ties = """
        select count(*), count(*) filter (where round(metric.numerator, 4) <> round(evidence.numerator, 4))
        from assessment.sealed_metric as metric
        inner join (
            select run_id, owner_id, metric_id, sum(numerator) as numerator
            from (
                select run_id, owner_id, metric_id, numerator from assessment.sealed_evidence
                union all
                select run_id, owner_id, metric_id, numerator from assessment.evidence_lost
            ) as either
            group by run_id, owner_id, metric_id
        ) as evidence using (run_id, owner_id, metric_id)
    """
    figures = session.execute("select * from assessment.sealed_metric order by 1, 2, 3").fetchall()
    before = session.execute(ties).fetchone()
    rows = "select count(*)::int from assessment.sealed_evidence where customer_id = %s"
    (sealed,) = session.execute(rows, [person.customer_id]).fetchone()  # type: ignore[misc]
    steps.erase(date(2036, 10, 30))
    assert session.execute(rows, [person.customer_id]).fetchone() == (sealed,), "ten years are not over"
    steps.erase(date(2038, 1, 1))
    assert standing(session, person.told) == set()
    assert session.execute(rows, [person.customer_id]).fetchone() == (0,)
    lost = "select sum(rows)::int, bool_or(reason like '%%' || %s || '%%') from assessment.evidence_lost"
    assert session.execute(lost, [person.customer_id]).fetchone() == (sealed, False)
    assert session.execute("select sum(rows_lost)::int from assessment.not_recomputable").fetchone() == (sealed,)
    assert session.execute("select * from assessment.sealed_metric order by 1, 2, 3").fetchall() == figures
    assert session.execute(ties).fetchone() == before
    with pytest.raises(psycopg.errors.RestrictViolation):
        session.execute("delete from assessment.sealed_evidence")
    assert steps.erase(date(2038, 1, 2)).rows == 0, "running again finds nothing"
