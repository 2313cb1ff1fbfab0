"""Which business date and month a run is for."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

os.environ.setdefault("AIRFLOW_HOME", str(Path(os.environ["C360_HOME"]) / "airflow_of_test_wiring"))
sys.path.append(str(Path(__file__).resolve().parents[2] / "dags"))

import wiring
from airflow.sdk.exceptions import AirflowFailException


def run(partition_key: str | None = None, run_after: datetime | None = None) -> SimpleNamespace:
    return SimpleNamespace(partition_key=partition_key, run_after=run_after)


@pytest.mark.parametrize(
    ("key", "form"), [("2026-11-01", None), (None, "2026-11-01"), ("2026-11-01", "2026-11-01"), (None, "20261101")]
)
def test_business_date_from_key_or_form(key: str | None, form: str | None) -> None:
    assert wiring.business_date(run(key), {"business_date": form}) == "2026-11-01"


@pytest.mark.parametrize(
    ("key", "form"), [(None, None), ("2026-11-01", "2026-11-02"), ("2026-02-30", None), ("yesterday", None)]
)
def test_no_or_wrong_business_date_fails_without_retry(key: str | None, form: str | None) -> None:
    with pytest.raises(AirflowFailException, match="business date"):
        wiring.business_date(run(key), {"business_date": form})


def test_period_is_the_form_or_the_last_month_that_ended_in_beijing() -> None:
    beijing_december = datetime(2026, 11, 30, 16, 30, tzinfo=UTC)
    assert wiring.period(run(run_after=beijing_december), {"period": None}) == "2026-11"
    assert wiring.period(run(run_after=beijing_december), {"period": "2026-08"}) == "2026-08"
