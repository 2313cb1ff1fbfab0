"""Rebuilds in schemas of their own, compared with what lives (DESIGN decisions 5, 7 and 12).

Three questions, one way to answer them: dbt builds into schemas named after its target, and `pipeline.comparison` tells
the two sides apart. Nothing of the living schemas is written.

- `rebuild`: does the incremental warehouse equal one built at once from the same arrivals and identity events?
- `rebuild_as_known`: does a rebuild from what was known then give the marts of a past day?
- `change_report`: which rows of the marts does a change of this checkout (a model, a rule seed) change?
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from pipeline import transformation
from pipeline.comparison import Comparison, Pair, Progress, compare
from warehouse.connection import connect
from warehouse.cut import data_cut
from warehouse.publication import FRESHNESS

if TYPE_CHECKING:
    from dbt.contracts.graph.nodes import ManifestNode

BUILT = ("intermediate", "core", "mart_build")
"""Schemas whose tables dbt makes."""

LATER = {
    "results": "they read sealed assessments, which are made of a month after its publications",
    "quality": "they read records that keep their last word: a file is superseded, identity measures a date anew",
}
"""Tags of models that cannot look back, and why: a rebuild as known leaves them out, the kept publication has them."""

_NO_TESTS = ("--exclude-resource-type", "test", "unit_test")


class RebuildError(RuntimeError):
    """There is nothing to rebuild or to compare with; the message says what to do first."""


def rebuild(progress: Progress | None = None, keep: bool = False) -> Comparison:
    """Build everything at once from raw, ledger and identity events; compare every table with its living one.

    Every change log, core table and mart of the project is compared, by all columns: none of them tells when something
    was loaded, times of loading stand only in the ledger (DESIGN decision 3). Parties are never matched again: core
    reads the events. Scores are made again from what had been checked when they were published.

    Args:
        progress: called after each model and each comparison with (done, all, name).
        keep: leave the schemas `rebuild_…` for a look at them; the next rebuild replaces them.

    Raises:
        RebuildError: nothing was built yet, or rows have left raw at the end of their retention.
    """
    with connect(autocommit=True) as session:
        _check_raw_is_whole(session, None)
        _check_built(session)
        with _schemas_of_its_own(session, "rebuild", keep):
            others = ("--exclude", "tag:quality")
            transformation.run("build", *_NO_TESTS, *others, target="rebuild", progress=progress)
            _score(session, "rebuild", "tag:quality", progress=progress)
            pairs = [_pair(node, "rebuild") for node in _tables()]
            return compare(session, "rebuild", pairs, "living schemas", "rebuilt from all arrivals", progress)


def rebuild_as_known(known_on: str, progress: Progress | None = None, keep: bool = False) -> Comparison:
    """Build the marts from what was known on a past day, and compare them with the publication in force then.

    Batches received later, and events of identity that rest on them, are not seen. Where publications of that day are
    pruned, `keep` gives the rows all the same: they stand in `rebuild_mart_build`.

    Args:
        known_on: a day (to its end, in Asia/Shanghai) or a time stamp.
        progress, keep: see `rebuild`.

    Raises:
        RebuildError: nothing was in force then, or rows have left raw at the end of their retention.
    """
    with connect(autocommit=True) as session:
        number, is_kept = _in_force(session, known_on)
        known_at = _known_for(session, number)
        _check_raw_is_whole(session, known_at)
        with _schemas_of_its_own(session, "rebuild", keep or not is_kept):
            others = [argument for tag in LATER for argument in ("--exclude", f"tag:{tag}")]
            transformation.run("build", *_NO_TESTS, *others, target="rebuild", progress=progress, known_on=known_at)
            if is_kept:
                session.execute("select set_config('c360.known_on', %s, false)", [known_on])
                marts = [node for node in _tables("mart_build") if not set(LATER) & set(node.tags)]
                pairs = [_published(session, node, "rebuild") for node in marts]
                rebuilt = f"rebuilt from what was known on {known_at:%Y-%m-%d %H:%M:%S %Z}"
                return compare(session, "as_known", pairs, f"publication {number}", rebuilt, progress)
    raise RebuildError(
        f"publication {number} is pruned, so there is nothing to compare with; the marts as known on that day "
        "stand in the schema rebuild_mart_build until the next rebuild"
    )


def change_report(progress: Progress | None = None, keep: bool = False) -> Comparison:
    """Build the marts of this checkout and compare them with the published ones.

    What differs from the project that the living schemas were last built by (dbt's `state:modified`), and all that
    stands on it, is built from scratch, incremental models, too, from what was known for the publication in force;
    everything else is read from the living schemas.

    Args:
        progress, keep: see `rebuild`.

    Raises:
        RebuildError: nothing was built or published yet.
    """
    with connect(autocommit=True) as session:
        (number, day) = session.execute("select number, business_date from ops.publication_pointer").fetchone()  # type: ignore[misc]
        if not number:
            raise RebuildError("nothing is published yet: `c360 build DATE` and `c360 publish DATE` come first")
        if not transformation.knows_living():
            raise RebuildError(
                "what the living schemas were built by is not on record here: C360_HOME must be the home of the living "
                "warehouse, and `c360 build DATE` of its own checkout keeps the record"
            )
        with _schemas_of_its_own(session, "change", keep):
            chosen = ("--select", "state:modified+", "path:models/marts", "--exclude", "tag:quality")
            known_on = _known_for(session, number)
            transformation.run("build", *_NO_TESTS, *chosen, target="change", progress=progress, known_on=known_on)
            _score(session, "change", "state:modified+,tag:quality", "path:models/marts,tag:quality", progress=progress)
            pairs = [_published(session, node, "change") for node in _tables("mart_build")]
            known = {pair.name for pair in pairs}
            pairs += [
                Pair(mart, ("mart", mart), ("change_mart_build", mart), ignored=frozenset(FRESHNESS))
                for mart in _marts_in_force(session)
                if mart not in known
            ]
            before = f"publication {number} of business date {day}"
            return compare(session, "change", pairs, before, "marts of this checkout", progress)


def _tables(*schemas: str) -> list["ManifestNode"]:
    """Every table that dbt builds after staging, as the manifest has them: a new model is never forgotten.

    Views are left out: what they show follows from the tables.
    """
    return sorted(
        (
            node
            for node in transformation.manifest().nodes.values()
            if node.resource_type in ("model", "seed")
            and node.schema in (schemas or BUILT)
            and node.config.materialized not in ("view", "ephemeral")
        ),
        key=lambda node: (BUILT.index(node.schema), node.name),
    )


def _pair(node: "ManifestNode", target: str) -> Pair:
    return Pair(
        name=f"{node.schema}.{node.alias}",
        before=(node.schema, node.alias),
        after=(f"{target}_{node.schema}", node.alias),
        key=_key(node),
        personal=_personal(node),
    )


def _published(session: psycopg.Connection, node: "ManifestNode", target: str) -> Pair:
    """A mart as readers see it, and as it was built: the view with clear columns where there is one."""
    clear = session.execute("select to_regclass(%s) is not null", [f'mart_clear."{node.alias}"']).fetchone() == (True,)
    return Pair(
        name=node.alias,
        before=("mart_clear" if clear else "mart", node.alias),
        after=(f"{target}_mart_build", node.alias),
        key=_key(node),
        personal=_personal(node),
        ignored=frozenset(FRESHNESS),
    )


def _key(node: "ManifestNode") -> tuple[str, ...]:
    """The primary key of the contract."""
    keys = [constraint.columns for constraint in getattr(node, "constraints", []) if constraint.type == "primary_key"]
    return tuple(keys[0]) if keys else ()


def _personal(node: "ManifestNode") -> frozenset[str]:
    return frozenset(
        column.name
        for column in node.columns.values()
        if {**column.meta, **column.config.meta}.get("pii_class", "none") != "none"
    )


def _marts_in_force(session: psycopg.Connection) -> list[str]:
    """Marts with rows in the publication in force."""
    rows = session.execute(
        "select distinct on (mart) mart, rows_visible from ops.publication_mart "
        "inner join ops.publication using (number) "
        "where state = 'published' and number <= (select number from ops.publication_pointer) "
        "order by mart, number desc"
    ).fetchall()
    return [mart for mart, visible in rows if visible]


def _in_force(session: psycopg.Connection, known_on: str) -> tuple[int, bool]:
    """The publication in force at a moment, and whether its rows are kept."""
    try:
        session.execute("select set_config('c360.known_on', %s, false)", [known_on])
        found = session.execute(
            "select publication.number, publication.state = 'published' from ops.publication_event as event "
            "inner join ops.publication on publication.number = event.to_number "
            "where event.action in ('publish', 'roll back') and event.at <= ops.known_on() "
            "order by event.event_id desc limit 1"
        ).fetchone()
    except psycopg.errors.DataError as problem:
        raise RebuildError(f"{known_on!r} is neither a day (YYYY-MM-DD) nor a time stamp") from problem
    finally:
        session.execute("select set_config('c360.known_on', '', false)")
    if found is None:
        first = session.execute("select min(at) from ops.publication_event where action = 'publish'").fetchone()
        began = f"the first publication is of {first[0]:%Y-%m-%d %H:%M}" if first and first[0] else "nothing is yet"
        raise RebuildError(f"nothing was published on {known_on}: {began}")
    return found


def _known_for(session: psycopg.Connection, number: int) -> datetime:
    """What was known for a publication: the batches behind it, and what stewards had decided when its build began."""
    cut = data_cut(session, number)
    (known,) = session.execute(
        "select greatest(%s, (select max(known_at) from identity.event where decision_id is not null and known_at <= ("
        "select max(run.started_at) from ops.step_run as run, ops.publication where run.step = 'build' "
        "and run.state = 'done' and run.ended_at <= publication.started_at and publication.number = %s)))",
        [cut.known_at, cut.publication],
    ).fetchone()  # type: ignore[misc]
    return known


def _score(session: psycopg.Connection, target: str, *chosen: str, progress: Progress | None) -> None:
    """Make scores from what had been checked when the living ones were made; all that they stand on is there."""
    (at,) = session.execute(
        "select max(started_at) from ops.step_run where step = 'publish' and state = 'done'"
    ).fetchone()  # type: ignore[misc]
    transformation.run("build", *_NO_TESTS, "--select", *chosen, target=target, progress=progress, known_on=at)


def _check_built(session: psycopg.Connection) -> None:
    if session.execute("select not exists (select from ops.batch_taken_up)").fetchone() == (True,):
        raise RebuildError("nothing was built yet: `c360 ingest SOURCE DATE`, then `c360 build DATE` come first")


def _check_raw_is_whole(session: psycopg.Connection, until: datetime | None) -> None:
    """What has left raw cannot be built again (DESIGN decision 5: from raw inside its retention)."""
    (gone,) = session.execute(
        "select count(*) from ops.loaded_file inner join ops.source_file using (file_id) "
        "where rows_deleted_at is not null and known_at <= coalesce(%s, 'infinity'::timestamptz)",
        [until],
    ).fetchone()  # type: ignore[misc]
    if gone:
        raise RebuildError(
            f"the rows of {gone:,} files have left raw at the end of their retention: a rebuild would lack them. "
            "Restore a backup of that time into a database of its own (DATABASE_URL) and rebuild there."
        )


@contextmanager
def _schemas_of_its_own(session: psycopg.Connection, target: str, keep: bool) -> Iterator[None]:
    """Empty schemas of a target; in the end what its models remember is gone, and so are they unless they are kept."""
    _drop(session, target)
    _forget(session, target)
    done = False
    try:
        yield
        done = True
    finally:
        _forget(session, target)
        if not (keep and done):
            _drop(session, target)


def _drop(session: psycopg.Connection, target: str) -> None:
    for schema in ("staging", *BUILT):
        name = f"{target}_{schema}"
        session.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name)))


def _forget(session: psycopg.Connection, target: str) -> None:
    for table, column in (("batch_taken_up", "consumer"), ("party_taken_up", "consumer"), ("fact_rekeyed", "fact")):
        session.execute(
            sql.SQL("delete from {} where starts_with({}, %s)").format(
                sql.Identifier("ops", table), sql.Identifier(column)
            ),
            [f"{target}_"],
        )
