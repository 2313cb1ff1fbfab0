"""Traces are complete: every column of every mart goes somewhere, by rules that name what there is."""

import pytest
from published import MARTS, spec

from pipeline.trace import traceable
from pipeline.trace_rules import TraceError, traced_marts, traces_of


def test_every_mart_has_traces() -> None:
    assert traced_marts() == sorted(path.stem for path in MARTS.glob("*/mart_*.sql"))


@pytest.mark.parametrize("mart", traced_marts())
def test_every_column_is_traced_or_names_the_row(mart: str) -> None:
    contract, traces = spec(mart), traces_of(mart)
    assert set(traces.key) == set(contract.primary_key)
    assert not set(traces.names) & set(traces.ways)
    assert {*traces.names, *traces.ways} == {column.name for column in contract.columns}
    assert traces.relation.startswith("mart_clear.") == any(column.is_clear for column in contract.columns)


@pytest.mark.parametrize("mart", traced_marts())
def test_ways_end(mart: str) -> None:
    """Columns of other marts and of the same row are there, and no column stands behind itself."""

    def behind(mart: str, column: str, above: tuple[tuple[str, str], ...] = ()) -> None:
        assert (mart, column) not in above
        traces = traces_of(mart)
        if column in traces.names:
            return
        ways = traces.ways_of(column)
        assert len({way.fold for way in ways}) == 1
        for way in ways:
            if way.mart and way.column:
                behind(way.mart, way.column, (*above, (mart, column)))
        for name in traces.inputs(column):
            behind(mart, name, (*above, (mart, column)))

    for column in traces_of(mart).ways:
        behind(mart, column)


def test_what_can_be_traced_is_told() -> None:
    told = dict(traceable("mart_manager_scorecard"))
    assert told["weight"] == "as said by core.kpi_item"
    assert told["raw_value"] == "sum over mart_manager_scorecard_evidence.numerator"
    assert told["points"] == "computed from score, scoring, effective_weight"
    assert told["run_id"] == "names the row: assessment run"


def test_what_is_unknown_is_answered_with_what_is_known() -> None:
    with pytest.raises(TraceError, match=r"no mart mart_customer_361.*mart_customer_360"):
        traces_of("mart_customer_361")
    with pytest.raises(TraceError, match=r"no column inflow; .*inflow_amount"):
        traces_of("mart_customer_360").ways_of("inflow")
    with pytest.raises(TraceError, match="party_key names the row"):
        traces_of("mart_customer_360").ways_of("party_key")
