"""The scorecard pages, from hand-made cards: what they show and that they fetch nothing."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from reports import charts, labels
from reports.analysis import Analysis, Rule, Step, Suspect
from reports.page import write_list_of_months, write_pages
from reports.scorecard import Contribution, Item, Run, Scorecard

RUN = Run(
    run_id="customer_manager/2026-10/1",
    scheme_name="Customer manager scorecard",
    scheme_name_zh="客户经理月度考核",
    scheme_version_id="customer_manager-2",
    period_month=date(2026, 10, 1),
    kind="final",
    state="in_force",
    sealed_publication=3,
    as_of=date(2026, 11, 3),
    known_at=datetime(2026, 11, 3, 14, 0, tzinfo=UTC),
    code_version="sha256:0123456789abcdef",
    input_hash="a" * 64,
    prepared_by="owner",
    prepared_at=datetime(2026, 11, 3, 15, 0, tzinfo=UTC),
    publication=4,
    published_at=datetime(2026, 11, 3, 15, 1, tzinfo=UTC),
)


def item(raw: str | None, missing: str | None = None) -> Item:
    value = Decimal(raw) if raw is not None else None
    return Item(
        kpi_id="deposit_average_balance",
        metric_id="deposit_average_balance",
        name="Average daily deposits",
        name_zh="日均存款余额",
        unit="CNY",
        decimals=2,
        kind="quantitative",
        scoring="linear_to_target",
        raw_value=value,
        target_value=Decimal(1000000),
        attainment=value / 1000000 if value is not None else None,
        missing_reason=missing,
        score_before_limits=value / 10000 if value is not None else None,
        score=value / 10000 if value is not None else None,
        floor_score=Decimal(0),
        cap_score=Decimal(120),
        weight=Decimal(100),
        effective_weight=Decimal(100) if value is not None else Decimal(0),
        points=value / 10000 if value is not None else Decimal(0),
        case_count=1,
        definition="End-of-day balances by days",
        definition_zh="每日日终余额之和",
        peer_mean=Decimal(90),
        evidence=(Contribution("100000000001", "张**", "account", "****0001", Decimal("0.7"), Decimal(1), Decimal(1)),),
        trend=((date(2026, 9, 1), Decimal(5)), (date(2026, 10, 1), value)),
    )


def card(manager: str, name: str, shown: Item, rank: int) -> Scorecard:
    total = shown.points or Decimal(0)
    return Scorecard(
        manager, name, "3001", "第1网点", "senior", total, total, Decimal(0), rank, 2, rank, 2, "B", "良好", 0, (shown,)
    )


ANALYSIS = Analysis(
    curve=[
        Step("0001", date(2026, 11, 3), Decimal("0.20"), 19, Decimal(80), Decimal("0.8")),
        Step("0001", date(2026, 11, 3), Decimal("1.00"), 94, Decimal(100), Decimal(1)),
    ],
    suspects=[
        Suspect(
            party_id="P1",
            party_name_masked="东方机械****",
            organisation_id="3001",
            period_start=date(2026, 4, 1),
            period_end=date(2026, 6, 30),
            reported_sales=Decimal(5_000_000),
            series_name_zh="纳税额",
            series_value=Decimal(60_000),
            implied_sales=Decimal(2_000_000),
            ratio=Decimal("2.5"),
            greatest_ratio=Decimal("1.40"),
            verification_state="unverified",
        )
    ],
    rules=[Rule("LR01", 2, "大额资金入账", 40, Decimal("0.85"), None)],
)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    cards = [card("E1", "王小明", item("1100000"), 1), card("E2", "<赵&刚>", item(None, "no_value"), 2)]
    write_pages(tmp_path, RUN, cards, ANALYSIS)
    return tmp_path


def test_pages_show_figures_and_their_origin(pages: Path) -> None:
    index = (pages / "index.html").read_text("utf-8")
    assert index.index("王小明") < index.index("&lt;赵&amp;刚&gt;")
    for origin in (RUN.run_id, RUN.scheme_version_id, "2026-11-03 22:00", "正式"):
        assert origin in index
    page = (pages / "managers" / "E1.html").read_text("utf-8")
    for shown in ("1,100,000", "110.0%", "每日日终余额之和", "张**", "****0001"):
        assert shown in page


def test_the_analyses_show_both_values_and_the_best_fifth(pages: Path) -> None:
    page = (pages / "analysis.html").read_text("utf-8")
    for shown in ("东方机械****", "5,000,000", "2,000,000", "2.50", "1.40", "80.0%", "大额资金入账", "85.0%", "–"):
        assert shown in page


def test_a_curve_that_falls_back_stays_in_its_frame() -> None:
    """Where the last customers cost more than they bring, shares go above one."""
    drawn = str(charts.curve([(Decimal("0.2"), Decimal("1.25")), (Decimal(1), Decimal(1))]))
    assert re.findall(r'cy="([\d.]+)"', drawn) == ["20.0", "60.0"]
    assert charts.curve([]) == ""


def test_months_are_listed_the_newest_first(tmp_path: Path) -> None:
    for month in ("2026-09", "2026-10", ".2026-11.partial"):
        (tmp_path / month).mkdir()
        (tmp_path / month / "index.html").touch()
    write_list_of_months(tmp_path)
    text = (tmp_path / "index.html").read_text("utf-8")
    assert re.findall(r'href="([^"]+)"', text) == ["2026-10/index.html", "2026-09/index.html"]


def test_a_missing_value_is_said_in_words(pages: Path) -> None:
    page = (pages / "managers" / "E2.html").read_text("utf-8")
    assert "无数据" in page
    assert "权重分摊至其他指标" in page


def test_pages_fetch_nothing(pages: Path) -> None:
    for page in pages.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"(src=|@import|url\(|<link|<script)", text)
        for target in re.findall(r'href="([^"]+)"', text):
            assert (page.parent / target).resolve().is_file()


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        ("1234567.5", "CNY", "1,234,568"),
        ("0.6449", "ratio", "64.5%"),
        ("2.00", "count", "2"),
        ("0.105", "count", "0.11"),
    ],
)
def test_figures_are_rounded_half_up(value: str, unit: str, expected: str) -> None:
    assert labels.figure(Decimal(value), unit) == expected
    assert labels.figure(None, unit) == "–"
