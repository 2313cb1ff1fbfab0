"""The cut-off (日切): which accounting date a moment belongs to, and what becomes of rows that say another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import polars as pl
import pytest
from corpus.case import CORPUS
from hypothesis import given
from hypothesis import strategies as st
from test_delivery import posting_contract
from trial_sender import DAY, POSTING_HEADER, TRIAL, posting_rows, send_all, send_control, send_posting

from ingestion.batch import BatchReport, ingest
from ingestion.contract import ZONE, Contract, CutOff, Freshness, load_contracts
from ingestion.cut_off import AccountingDays, holds
from ingestion.receipt import Receipt, file_sha256, write_receipt
from ingestion.refusal import ContractError
from warehouse.calendar import calendar_days

WORKING = [day.calendar_date for day in calendar_days(2024, 2027) if day.is_working_day]
POSTED = CutOff(at=time(22, 30), moment="posted_at", accounting_date="posted_on")


def accounting_day(terms: CutOff, day: date, later: int = 0) -> date:
    """The day or the next that is booked on, and days later."""
    if terms.days == "every_day":
        return day + timedelta(days=later)
    return [working for working in WORKING if working >= day][later]


@given(
    moment=st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 30)).map(lambda at: at.replace(microsecond=0)),
    lag=st.integers(-3, 12),
    at=st.sampled_from([time(22, 30), time(23), time(0, 0, 1), time(23, 59, 59)]),
    days=st.sampled_from(["every_day", "working_days"]),
    days_later=st.integers(0, 2),
    is_batch=st.booleans(),
)
def test_the_accounting_date_of_a_moment(moment, lag, at, days, days_later, is_batch):
    terms = CutOff(
        at=at, moment="m", accounting_date="d", days=days, days_later=days_later, batch={"channel": ["batch"]}
    )
    booked = moment.date() + timedelta(days=lag)
    row = pl.DataFrame({"m": [moment], "d": [booked], "channel": ["batch" if is_batch else "app"]})
    begun = accounting_day(terms, moment.date() + timedelta(days=moment.time() >= at))
    first = accounting_day(terms, moment.date()) if is_batch else begun
    expected = first <= booked <= accounting_day(terms, begun, days_later)
    assert row.select(holds(terms, pl.col("m"), pl.col("d"))).item() is expected


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(2026, 10, 30), datetime(2026, 11, 3)).map(lambda at: at.replace(microsecond=0)),
            st.dates(date(2026, 10, 29), date(2026, 11, 4)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_a_look_at_the_text_finds_what_a_look_at_the_values_does(rows):
    contract = with_cut_off(TRIAL["posting"], POSTED)
    forms = {"posted_at": "%Y%m%d%H%M%S", "posted_on": "%d.%m.%Y"}
    formatted = tuple(c.model_copy(update={"date_format": forms.get(c.name)}) for c in contract.columns)
    by_value = with_cut_off(contract, POSTED, columns=formatted)

    def found(contract: Contract, moment: str, day: str) -> list[tuple[int, str]]:
        texts = {"posted_at": [f"{at:{moment}}" for at, _ in rows], "posted_on": [f"{d:{day}}" for _, d in rows]}
        return [broken[:2] for broken in AccountingDays(contract, DAY).broken(pl.DataFrame(texts))]

    seen = found(by_value, *forms.values())
    assert (
        found(contract, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d") == found(contract, "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d") == seen
    )
    assert {position for position, rule in seen if rule == "business_date"} == {
        position for position, (_, booked) in enumerate(rows) if booked > DAY
    }


def with_cut_off(contract: Contract, cut_off: CutOff | None, **more: object) -> Contract:
    """A contract with another cut-off."""
    now = {name: getattr(contract, name) for name in Contract.model_fields}
    return Contract(**now | {"cut_off": cut_off} | more)


@pytest.fixture
def load(loader, landing) -> Callable[..., BatchReport]:
    """Ingests postings under a cut-off."""

    def ingested(cut_off: CutOff, **more: object) -> BatchReport:
        contracts = TRIAL | {"posting": with_cut_off(TRIAL["posting"], cut_off, **more)}
        return ingest("trial", DAY, connection=loader, landing=landing, contracts={"trial": contracts})

    return ingested


def send_days(landing, *days: tuple[str, str]) -> None:
    """A posting file whose rows have these moments and accounting dates."""
    lines = posting_rows(len(days))
    for place, (at, booked) in enumerate(days):
        fields = lines[place].split("|")
        fields[2:4] = booked, at
        lines[place] = "|".join(fields)
    send_posting(send_all(landing), lines=lines)


DAYS = (
    ("2026-11-01 22:29:59", "2026-11-01"),
    ("2026-10-31 22:30:00", "2026-11-01"),
    ("2026-11-01 22:30:00", "2026-11-01"),
    ("2026-11-01 22:30:00", "2026-11-02"),
    ("2026-11-01 09:00:00", "2026-10-31"),
    ("", "2026-11-01"),
)


@pytest.mark.parametrize("severity", ["error", "warning"])
def test_rows_of_the_wrong_day_are_kept_out_or_flagged(loader, landing, load, severity):
    send_days(landing, *DAYS)
    report = load(POSTED.model_copy(update={"severity": severity}))
    assert report.is_complete
    where = {"error": "row", "warning": "warning"}[severity]
    found = f"select line, rule, column_name from quarantine.{where} where column_name = 'posted_on' order by line"
    assert loader.execute(found).fetchall() == [
        (4, "cut_off", "posted_on"),
        (5, "business_date", "posted_on"),
        (6, "cut_off", "posted_on"),
    ]
    assert loader.execute("select count(*) from raw_trial.posting").fetchone() == (3 if severity == "error" else 6,)
    if severity == "error":
        amounts = (
            "select amount_sent, amount_loaded, amount_quarantined from ops.source_file where table_name = 'posting'"
        )
        assert loader.execute(amounts).fetchone() == (Decimal("26.25"), Decimal("11.25"), Decimal("15.00"))
        (message,) = loader.execute("select message from quarantine.row where line = 4").fetchone()
        assert message == (
            "posted_on: '2026-11-01' is not the day of posted_at '2026-11-01 22:30:00', the cut-off being 22:30"
        )


def test_a_file_that_came_before_its_day_was_over_says_so(loader, landing, load):
    folder = send_all(landing)
    for path in sorted(folder.iterdir()):
        received = datetime(2026, 11, 1, 22, 29, tzinfo=ZONE)
        write_receipt(path, Receipt(path.name, path.stat().st_size, file_sha256(path), received))
    report = load(POSTED)
    early = [file.table for file in report.files if "received before the cut-off at 22:30" in (file.message or "")]
    assert report.is_complete and early == ["posting"]


def test_a_file_of_old_rows_is_refused(loader, landing, load):
    send_days(landing, ("2026-10-30 09:00:00", "2026-10-30"), ("", "2026-10-29"))
    fresh = Freshness(column="posted_on", days=1)
    report = load(POSTED, freshness=fresh)
    (refused,) = [file for file in report.files if file.state == "refused"]
    assert "[freshness]" in refused.message and "2026-10-30, more than 1 days before 2026-11-01" in refused.message
    assert load(POSTED, freshness=Freshness(column="posted_on", days=2)).is_complete


def test_an_empty_file_is_not_old(loader, landing, load):
    path = send_posting(send_all(landing), lines=[])
    send_control(path, 0, Decimal(0))
    assert path.read_text("gb18030").strip() == POSTING_HEADER
    assert load(POSTED, freshness=Freshness(column="posted_on", days=0)).is_complete


def custom(name: str, value: object) -> Callable[[dict], object]:
    return lambda standard: standard["customProperties"].append({"property": name, "value": value})


def test_a_cut_off_is_read_from_the_contract(tmp_path):
    written = {"at": "22:30", "moment": "posted_at", "accounting_date": "posted_on"}
    assert posting_contract(tmp_path, custom("cut_off", written)).cut_off == POSTED
    assert CORPUS["booking"].freshness == Freshness(column="booked_on", days=1)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"at": 81000}, "not a quoted time"),  # YAML reads 22:30 without quotes as minutes or seconds
        ({"at": "25:00"}, "cut_off"),
        ({"moment": "posted_on"}, "no column of the type timestamp"),
        ({"accounting_date": "nothing"}, "'nothing', which is no column of the type date"),
        ({"batch": {"nothing": ["x"]}}, "cut_off.batch names the column 'nothing'"),
        ({"days": "weekdays"}, "working_days"),
    ],
)
def test_a_cut_off_that_tells_nothing_is_refused(tmp_path, terms, words):
    written = {"at": "22:30", "moment": "posted_at", "accounting_date": "posted_on"} | terms
    with pytest.raises(ContractError) as refused:
        posting_contract(tmp_path, custom("cut_off", written))
    assert words in str(refused.value)


def test_what_contradicts_a_cut_off_is_refused(tmp_path):
    def due_before_the_day_ends(standard: dict) -> None:
        custom("cut_off", {"at": "22:30", "moment": "posted_at", "accounting_date": "posted_on"})(standard)
        standard["slaProperties"] = [
            {"property": "latency", "value": 0, "unit": "d"},
            {"property": "timeOfAvailability", "value": "22:00"},
        ]

    with pytest.raises(ContractError, match=r"due at 22:00:00 .* cannot know its end at 22:30"):
        posting_contract(tmp_path, due_before_the_day_ends)
    for element, unit in (
        ("posting", "d"),
        ("posting.nothing", "d"),
        ("posting.amount", "d"),
        ("posting.posted_on", "h"),
    ):
        fresh = {"property": "freshness", "value": 1, "unit": unit, "element": element}
        with pytest.raises(ContractError, match="freshness"):
            posting_contract(tmp_path, lambda standard, fresh=fresh: standard.update(slaProperties=[fresh]))


def test_the_sources_whose_rows_have_moment_and_accounting_date_have_a_cut_off():
    found = {
        f"{contract.source}.{contract.table}": contract.cut_off.at
        for tables in load_contracts().values()
        for contract in tables.values()
        if contract.cut_off
    }
    assert found == {"core_banking.account_transaction": time(22, 30), "card.posting": time(22, 30)}
