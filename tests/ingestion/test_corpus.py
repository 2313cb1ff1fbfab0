"""The corpus of broken files: each gets the verdict that it should, nothing crashes, nothing is loaded in part."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl
import psycopg
import pytest
from corpus import (
    archives,
    arrival,
    byte_damage,
    control_damage,
    drifts,
    random_damage,
    structure_damage,
    values,
    workbooks,
)
from corpus.case import BASES, Case, Loaded, Refused
from trial_sender import CONTRACTS, DAY, empty, folder_of, posting_rows, send_all, send_payment, send_posting

from ingestion.batch import BatchReport, NothingLanded, ingest
from ingestion.check import check_file
from ingestion.contract import Contract
from ingestion.examine import Examination
from ingestion.options import IngestOptions
from ingestion.raw_ddl import raw_migrations
from ingestion.readers.base import LINE, Reject
from ingestion.refusal import Refusal
from warehouse.migration import migrate, read_migrations

FAMILIES: dict[str, list[Case]] = {
    **byte_damage.CASES,
    **structure_damage.CASES,
    **values.CASES,
    **drifts.CASES,
    **control_damage.CASES,
    **archives.CASES,
    **workbooks.CASES,
}
BOMBS = [*archives.BOMBS, *workbooks.BOMBS]
FILES = [case for family in FAMILIES.values() for case in family]
ARRIVALS = [case for family in arrival.CASES.values() for case in family]
CUT_ANYWHERE = [
    case for families in (byte_damage, structure_damage, drifts) for f in families.CASES.values() for case in f
]
SMALL_BLOCK = 512
NEXT_DAY = date(2026, 11, 2)

NOT_BY_A_FILE = {
    "counted_rows": "a fault of a reader",
    "database": "a fault of the validation",
    "changed_while_loading": "test_ingest_batch",
    "correction_undeclared": "test_ingest_batch",
    "file_name": "arrival",
    "symbolic_link": "arrival",
    "duplicate": "arrival",
    "source": "test_names_of_sources",
    "row_count": "test_delivery",
    "landing": "test_ingest_batch",
}
"""Rules that refuse something else than one broken file, and where else they are tried."""


def ids(cases: list[Case]) -> list[str]:
    """A readable id of every case, numbered where the name is not the only one."""
    seen: Counter[str] = Counter()
    named = []
    for case in cases:
        seen[str(case)] += 1
        named.append(f"{case} ({seen[str(case)]})" if seen[str(case)] > 1 else str(case))
    return named


class Read:
    """A file as it was read: rows by line, rejected rows, refusal, account."""

    def __init__(self, contract: Contract, path: Path, **options: object) -> None:
        control = contract.control_file_name(DAY)
        examination = Examination(
            contract,
            path,
            IngestOptions(**options),  # type: ignore[arg-type]
            DAY,
            path.with_name(control) if control else None,
        )
        frames: list[pl.DataFrame] = []
        self.rejects: list[Reject] = []
        self.refusal: Refusal | None = None
        self.settled = None
        try:
            for checked in examination.blocks():
                frames.append(checked.good)
                self.rejects += checked.rejects
            self.settled = examination.settle("0" * 32 + "f" * 32)
        except Refusal as refusal:
            self.refusal = refusal
        texts = (pl.all().exclude(LINE).cast(pl.String), LINE)
        self.rows = {row.pop(LINE): row for frame in frames for row in frame.select(texts).to_dicts()}

    @property
    def rejected(self) -> list[tuple[int, str, str | None]]:
        """Line, rule and column of every rejected row."""
        return sorted(((r.line, r.rule, r.column) for r in self.rejects), key=str)


@cache
def good_rows(name: str) -> dict[int, dict[str, str]]:
    """Rows of a good file by line."""
    base = BASES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Case("good", name, bytes, Loaded()).write(Path(folder))
        read = Read(base.contract, path)
    assert read.refusal is None and len(read.rows) == base.rows, read.refusal
    return read.rows


def assert_helpful(refusal: Refusal, path: Path) -> None:
    """The message names file and rule, says what is wrong and what to do, and is no book."""
    text = str(refusal)
    assert text.startswith(path.name) and f"[{refusal.rule}]" in text
    assert 10 < len(refusal.message) < 700 and len(refusal.advice) > 20, text
    assert re.search(r"\b(Ask|Set|Agree|Put|Look|Check|Rename)\b", refusal.advice), text


def assert_verdict(case: Case, read: Read, path: Path) -> None:
    """What was expected is what came out."""
    verdict = case.verdict
    if isinstance(verdict, Refused):
        assert read.refusal is not None, f"loaded with {read.rejected}"
        assert (read.refusal.rule, read.refusal.line) == (verdict.rule, verdict.line), str(read.refusal)
        for words in verdict.says:
            assert words in str(read.refusal)
        assert_helpful(read.refusal, path)
        return
    assert read.refusal is None, str(read.refusal)
    assert read.rejected == sorted(verdict.rejects, key=str)
    good = len(good_rows(case.base)) - len(verdict.rejects) if verdict.good is None else verdict.good
    assert read.settled is not None and len(read.rows) == good
    assert read.settled.rows_sent == read.settled.rows_loaded + read.settled.rows_quarantined
    assert (read.settled.rows_loaded, read.settled.rows_quarantined) == (good, len(verdict.rejects))
    if read.settled.amount_sent is not None:
        assert read.settled.amount_sent == read.settled.amount_loaded + read.settled.amount_quarantined
    for reject in read.rejects:
        assert len(reject.message) > 10 and (reject.column or "") in reject.message
    for (number, column), value in verdict.shows.items():
        assert read.rows[number][column] == value
    changed = {number for number, _ in verdict.shows}
    sent = list(good_rows(case.base).values())
    if BASES[case.base].contract.layout.format != "parquet":
        assert [row for number, row in read.rows.items() if number not in changed and row not in sent] == []


@pytest.mark.parametrize("case", FILES, ids=ids(FILES))
def test_every_broken_file_gets_its_verdict(case, tmp_path):
    path = case.write(tmp_path)
    assert_verdict(case, Read(BASES[case.base].contract, path), path)
    if case in CUT_ANYWHERE and not case.one_block:
        assert_verdict(case, Read(BASES[case.base].contract, path, block_bytes=SMALL_BLOCK, rows_per_block=1), path)


def test_the_corpus_is_what_it_claims_to_be(tmp_path):
    contents = set()
    for case in FILES:
        path = case.write(tmp_path)
        control = BASES[case.base].contract.control_file_name(DAY)
        beside = tmp_path / control if control else None
        contents.add((case.base, path.read_bytes(), beside.read_bytes() if beside and beside.exists() else None))
        if beside:
            beside.unlink(missing_ok=True)
    assert len(contents) == len(FILES) >= 200
    used = {case.verdict.rule for case in FILES if isinstance(case.verdict, Refused)}
    used |= {rule for case in FILES if isinstance(case.verdict, Loaded) for _, rule, _ in case.verdict.rejects}
    assert rules_of_the_room() - used - set(NOT_BY_A_FILE) == set()


def rules_of_the_room() -> set[str]:
    """Names of rules as they stand in the code that refuses files and rejects rows."""
    found: set[str] = set()
    room = Path(sys.modules["ingestion"].__file__ or "").parent
    judges = (room / f"{name}.py" for name in ("batch", "control", "examine", "landing", "load", "validation"))
    for path in (*judges, *room.glob("readers/*.py")):
        text = path.read_text(encoding="utf-8")
        found |= set(
            re.findall(r"(?:Refusal|NothingLanded|ContractError|refuse|rule|Unknowable)\(\s*\"([a-z_0-9]+)\"", text)
        )
        found |= set(re.findall(r"Reject\([^\"()]*(?:\([^)]*\))?[^\"()]*\"([a-z_0-9]+)\"", text))
    assert {"encoding", "quoting", "required", "duplicate_key", "parent"} <= found
    return found


@pytest.mark.parametrize(("kind", "base", "seed"), random_damage.files())
def test_whatever_is_damaged_nothing_else_is(kind, base, seed, tmp_path):
    good = BASES[base]
    path = Case("random", base, bytes, Loaded()).write(tmp_path)
    path.write_bytes(random_damage.broken(kind, base, seed))
    read = Read(good.contract, path)
    if read.refusal is not None:
        assert_helpful(read.refusal, path)
        return
    account = read.settled
    assert account.rows_sent == account.rows_loaded + account.rows_quarantined == len(read.rows) + len(read.rejects)
    if kind in ("packed", "xlsx"):
        assert read.rows == good_rows(base), "it has a checksum"
    if kind in ("packed", "parquet", "xlsx"):
        return
    content = path.read_bytes()
    text = gzip.decompress(content) if good.contract.layout.compression == "gz" else content
    assert_untouched_lines_are_as_sent(base, read, text)


def assert_untouched_lines_are_as_sent(base: str, read: Read, text: bytes) -> None:
    """A loaded row whose line is one of the good file's is the row that this line was."""
    inherited = {"meter_id", "unit"} if base == "load_curve" else set()

    def own(row: dict[str, str]) -> dict[str, str]:
        return {name: value for name, value in row.items() if name not in inherited}

    good = BASES[base].data.split(b"\n")
    of_line = {good[number - 1]: own(row) for number, row in good_rows(base).items()}
    lines = text.split(b"\n")
    for number, row in read.rows.items():
        assert own(row) == of_line.get(lines[number - 1], own(row))


def test_bombs_are_refused_in_little_memory(tmp_path):
    folders = []
    for position, case in enumerate(BOMBS):
        folder = tmp_path / str(position)
        folder.mkdir()
        folders.append(str(folder))
        assert case.write(folder).stat().st_size < 4 << 20
    script = """
import json, resource, sys
from pathlib import Path
import ingestion.examine
from corpus.case import BASES
from test_corpus import BOMBS, Read
ingestion.examine.HOPELESS = 50_000
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
out = []
for case, folder in zip(BOMBS, sys.argv[1:]):
    contract = BASES[case.base].contract
    path = next(p for p in Path(folder).iterdir() if p.suffix != ".ctl")
    before = peak()
    read = Read(contract, path, block_bytes=1 << 20)
    out.append([read.refusal.rule, read.refusal.line, str(read.refusal), peak() - before])
print(json.dumps(out))
"""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", script, *folders], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert done.returncode == 0, done.stderr
    for case, (rule, line, text, megabytes) in zip(BOMBS, json.loads(done.stdout), strict=True):
        assert isinstance(case.verdict, Refused)
        assert (rule, line) == (case.verdict.rule, case.verdict.line), f"{case}: {text}"
        assert all(words in text for words in case.verdict.says), f"{case}: {text}"
        assert megabytes < 100, f"{case}: {megabytes} MB"


def test_dry_run_says_the_same(tmp_path):
    for case in (FAMILIES["cut"][0], FAMILIES["rules"][0]):
        report = check_file(BASES[case.base].contract, case.write(tmp_path), DAY)
        if isinstance(case.verdict, Refused):
            assert report.would == "refuse" and report.refusal.rule == case.verdict.rule
        else:
            assert report.would == "load" and [r.line for r in report.sample] == [
                line for line, *_ in case.verdict.rejects
            ]


def batch_of_one_of_each() -> dict[str, Case]:
    """Table names and cases: for every rule and format one file that breaks it, and every text that looks dangerous."""
    chosen: dict[tuple[str, ...], Case] = {}
    for case in FILES:
        rules = (
            (case.verdict.rule,)
            if isinstance(case.verdict, Refused)
            else tuple(sorted({rule for _, rule, _ in case.verdict.rejects})) or ("good", case.name)
        )
        if rules[0] == "good" and case not in values.TEXTS:
            continue
        layout = BASES[case.base].contract.layout
        if rules == ("line_length",) and layout.format != "delimited":
            continue
        chosen.setdefault((layout.format, *rules), case)
    return {f"t{number:03d}": case for number, case in enumerate(chosen.values())}


@pytest.fixture
def corpus_loader(owner: psycopg.Connection) -> Iterator[Callable[[Path], tuple[BatchReport, dict[str, Case]]]]:
    """Loads one batch of broken files, each with a table of its own."""
    cases = batch_of_one_of_each()
    contracts = {}
    for table, case in cases.items():
        contract = BASES[case.base].contract
        suffix = contract.layout.file_name.rpartition("}")[2]
        layout = contract.layout.model_copy(update={"file_name": f"{table}_{{business_date:%Y%m%d}}{suffix}"})
        control = contract.control
        if control.kind == "control_file":
            control = control.model_copy(update={"file_name": f"{table}_{{business_date:%Y%m%d}}.ctl"})
        contracts[table] = contract.model_copy(
            update={"source": "corpus", "table": table, "layout": layout, "control": control}
        )
    migrate([*read_migrations("ingestion"), *raw_migrations({"corpus": contracts})], owner)

    def load(landing: Path) -> tuple[BatchReport, dict[str, Case]]:
        folder = landing / "corpus" / DAY.isoformat()
        folder.mkdir(parents=True)
        for table, case in cases.items():
            case.write(folder, contracts[table])
        return ingest("corpus", DAY, connection=owner, landing=landing, contracts={"corpus": contracts}), cases

    yield load


def test_a_batch_of_broken_files_in_the_database(corpus_loader, owner, tmp_path):
    report, cases = corpus_loader(tmp_path)
    states = {file.table: file for file in report.files}
    assert report.state == "refused" and set(states) == set(cases)
    kept = owner.execute("select table_name, line, rule, column_name, raw_text, message from quarantine.row").fetchall()
    for table, case in cases.items():
        file, verdict = states[table], case.verdict
        count = owner.execute(f"select count(*) from raw_corpus.{table}").fetchone()[0]
        rejected = sorted((tuple(row[1:4]) for row in kept if row[0] == table), key=str)
        if isinstance(verdict, Refused):
            assert (file.state, count) == ("refused", 0), f"{case}: {file}"
            assert f"[{verdict.rule}]" in file.message and file.file_name in file.message, f"{case}: {file.message}"
            continue
        assert file.state == "loaded", f"{case}: {file}"
        assert count == file.rows_loaded and rejected == sorted(verdict.rejects, key=str), f"{case}: {rejected}"
        assert file.rows_sent == file.rows_loaded + file.rows_quarantined
        for (line, column), value in verdict.shows.items():
            found = owner.execute(f"select {column}::text from raw_corpus.{table} where _line = %s", [line]).fetchone()
            assert found == (value,), f"{case}: {found}"
    assert owner.execute(
        "select count(*) from ops.source_file where state = 'loaded' and not (rows_sent = rows_loaded + "
        "rows_quarantined + rows_erased and amount_sent is not distinct from "
        "amount_loaded + amount_quarantined + amount_erased)"
    ).fetchone() == (0,)
    assert owner.execute("select count(*) from ops.loaded_file").fetchone() == (0,), "no batch, no row for the marts"


@pytest.fixture
def delivery(owner: psycopg.Connection, tmp_path: Path) -> Callable[[arrival.Arrival], BatchReport]:
    """Makes a good delivery on an empty ledger, changes it, and loads it."""
    migrate([*read_migrations("ingestion"), *raw_migrations(CONTRACTS)], owner)

    def load(case: arrival.Arrival) -> BatchReport:
        empty(owner)
        shutil.rmtree(tmp_path / "landing", ignore_errors=True)
        case.change(send_all(tmp_path / "landing"))
        return ingest("trial", DAY, connection=owner, landing=tmp_path / "landing", contracts=CONTRACTS)

    return load


@pytest.mark.parametrize("family", arrival.CASES)
def test_what_arrives_otherwise(family, delivery, owner):
    for case in arrival.CASES[family]:
        report = delivery(case)
        files = {file.file_name: file for file in report.files}
        assert report.state == case.batch and tuple(report.missing) == case.missing, f"{case}: {report}"
        for name, (state, says) in case.expected.items():
            assert (files[name].state if name in files else None) == state, f"{case}: {files.get(name)}"
            assert state is None or says in (files[name].message or ""), f"{case}: {files[name].message}"
        others = {file.state for name, file in files.items() if name not in case.expected}
        assert others == {"loaded"}, f"{case}: {report}"
        if any(state for name, (state, _) in case.expected.items() if name == arrival.POSTING):
            assert owner.execute("select count(*) from raw_trial.posting").fetchone() == (0,), str(case)


def test_a_receipt_without_a_time_zone_is_written_anew(delivery, owner):
    def change(folder: Path) -> None:
        digest = hashlib.sha256((folder / arrival.POSTING).read_bytes()).hexdigest()
        arrival.receipt(None, sha256=digest, received_at="2026-11-01T00:00:00")(folder)

    assert delivery(arrival.Arrival("a receipt without a time zone", change, {})).state == "complete"


def test_what_was_loaded_for_one_day_is_not_loaded_for_the_next(owner, tmp_path):
    migrate([*read_migrations("ingestion"), *raw_migrations(CONTRACTS)], owner)
    empty(owner)
    send_all(tmp_path)
    assert ingest("trial", DAY, connection=owner, landing=tmp_path, contracts=CONTRACTS).state == "complete"
    folder = send_all(tmp_path, NEXT_DAY)
    send_posting(folder, day=NEXT_DAY, lines=posting_rows(20, DAY))
    old = folder_of(tmp_path)
    sent = {
        "CARD_POSTING": "dat",
        "load_curve": "csv",
        "customer": "csv.gz",
        "daily_reading": "parquet",
        "manager_target": "xlsx",
    }
    for table, end in sent.items():
        shutil.copyfile(old / f"{table}_20261101.{end}", folder / f"{table}_20261102.{end}")
    payment = folder / "payment_20261102.jsonl"
    payment.write_bytes(send_payment(old).read_bytes())
    report = ingest("trial", NEXT_DAY, connection=owner, landing=tmp_path, contracts=CONTRACTS)
    found = {file.table: (file.state, file.message) for file in report.files}
    assert {state for state, _ in found.values()} == {"duplicate"}, found
    assert all("of 2026-11-01" in message for _, message in found.values())
    assert owner.execute("select count(*) from raw_trial.posting").fetchone() == (20,)


@pytest.mark.parametrize("source", ["../trial", "/etc", "trial/..", "trial;drop table x", "trial\0", ""])
def test_names_of_sources(source, tmp_path):
    with pytest.raises(NothingLanded, match="no contracts"):
        ingest(source, DAY, landing=tmp_path, contracts=CONTRACTS)


def test_a_name_in_gbk_does_not_stop_the_others(delivery):
    name = os.fsdecode("账户流水.txt".encode("gbk"))
    report = delivery(arrival.Arrival("a name in GBK", arrival.put(name), {}))
    assert report.state == "complete" and {file.state for file in report.files} == {"loaded", "unknown"}
