"""Great Expectations, in one place: with data_docs the only modules of the room that load it (11 s a process)."""

import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations.result import CheckResult
from expectations.suite import Expected, Suite
from warehouse.connection import url
from warehouse.settings import Settings

os.environ["GX_ANALYTICS_ENABLED"] = "false"

_SUBJECTS_NAMED = 5  # in one result
_SITE = "checks"
_VIEW = {"module_name": "expectations.data_docs", "class_name": "PageView"}

log = logging.getLogger(__name__)


def run_suites(settings: Settings, run_key: str, suites: list[tuple[Suite, str]]) -> list[CheckResult]:
    """Run suites and bring Data Docs up to date.

    Args:
        settings: Data Docs are written to its ``out/data_docs``, what they are made from to ``out/great_expectations``.
        run_key: name of the run.
        suites: each with its rendered query, which runs once, into a temporary table.

    Returns:
        One result an expectation. What could not be evaluated has not passed.
    """
    import great_expectations as gx
    from great_expectations.core.run_identifier import RunIdentifier

    for chatty in ("great_expectations", "great_expectations.expectations.expectation"):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    context = _context(settings)
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_postgres("warehouse", connection_string=url(), create_temp_table=True)
    run = RunIdentifier(run_name=run_key.replace("/", " "), run_time=datetime.now(UTC))
    results: list[CheckResult] = []
    for suite, query in suites:
        # Great Expectations takes no query that begins with anything else, such as a CTE.
        asset = source.add_query_asset(suite.name, query=f"SELECT * FROM (\n{query}\n) AS measurements")
        batch = asset.add_batch_definition("measurements")
        expectations = [_as_class(gx, number, expected) for number, expected in enumerate(suite.expectations)]
        kept = context.suites.add_or_update(gx.ExpectationSuite(suite.name, expectations, notes=suite.why))
        definition = gx.ValidationDefinition(name=suite.name, data=batch, suite=kept)
        try:
            outcome = context.validation_definitions.add(definition).run(
                run_id=run,
                result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["subject"]},
            )
        except Exception as problem:
            log.exception("suite %s could not be run", suite.name)
            results += [_not_evaluated(suite, expected, problem) for expected in suite.expectations]
            continue
        found = {one.expectation_config.meta["number"]: one for one in outcome.results}
        results += [_result(suite, expected, found[number]) for number, expected in enumerate(suite.expectations)]
    _document(context, settings, run)
    source.get_execution_engine().close()
    return results


def _context(settings: Settings) -> Any:
    """Return a context without a configuration file, so that no password is written anywhere."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    def folder(path: Path) -> dict[str, object]:
        path.mkdir(parents=True, exist_ok=True)
        return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(path)}

    stores = InMemoryStoreBackendDefaults()
    kept = settings.out / "great_expectations"
    stores.stores[stores.expectations_store_name]["store_backend"] = folder(kept / "suites") | {
        "filepath_suffix": ".json"
    }
    stores.stores[stores.validation_results_store_name]["store_backend"] = folder(kept / "results") | {
        "filepath_suffix": ".json"
    }
    stores.data_docs_sites = {
        _SITE: {
            "class_name": "SiteBuilder",
            "show_how_to_buttons": False,
            "store_backend": folder(settings.out / "data_docs"),
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "view": _VIEW},
            "site_section_builders": {"expectations": {"view": _VIEW}, "validations": {"view": _VIEW}},
        }
    }
    return gx.get_context(
        mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    )


def _as_class(gx: Any, number: int, expected: Expected) -> Any:
    """Return the expectation as Great Expectations knows it; the number finds its result again."""
    severity = {"fail": "critical", "warn": "warning"}[expected.severity]
    meta = {"number": number, "severity": expected.severity, "dimension": expected.dimension}
    return getattr(gx.expectations, expected.type)(**expected.kwargs, severity=severity, notes=expected.why, meta=meta)


def _result(suite: Suite, expected: Expected, one: Any) -> CheckResult:
    figures = one.result or {}
    raised = [info["exception_message"] for info in _exceptions(one.exception_info)]
    if raised:
        log.error("suite %s, %s: %s", suite.name, expected.type, raised[0])
    index = figures.get("unexpected_index_list") or []
    if raised:
        observed = "it could not be evaluated"
    elif index:
        observed = "; ".join(_subject(row) for row in index[:_SUBJECTS_NAMED])
        observed += "" if len(index) <= _SUBJECTS_NAMED else f"; and {len(index) - _SUBJECTS_NAMED} more"
    else:
        observed = None if figures.get("observed_value") is None else str(figures["observed_value"])
    judged = figures.get("element_count")
    return CheckResult(
        suite=suite.name,
        expectation=expected.type,
        table=suite.about,
        column=_column(expected),
        dimension=expected.dimension,
        severity=expected.severity,
        success=bool(one.success) and not raised,
        subjects=None if judged is None else judged - (figures.get("missing_count") or 0),
        unexpected=figures.get("unexpected_count"),
        observed=observed,
        expected=_in_words(expected),
        why=expected.why,
    )


def _not_evaluated(suite: Suite, expected: Expected, problem: Exception) -> CheckResult:
    return CheckResult(
        suite=suite.name,
        expectation=expected.type,
        table=suite.about,
        column=_column(expected),
        dimension=expected.dimension,
        severity=expected.severity,
        success=False,
        subjects=None,
        unexpected=None,
        observed=f"it could not be evaluated ({type(problem).__name__})",
        expected=_in_words(expected),
        why=expected.why,
    )


def _exceptions(info: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return what was raised: GX gives one description, or one a metric."""
    descriptions = [info] if info and "raised_exception" in info else list((info or {}).values())
    return [one for one in descriptions if isinstance(one, dict) and one.get("raised_exception")]


def _subject(row: dict[str, Any]) -> str:
    """Return one measured thing with what was found, as ``core_banking.account: 12``."""
    values = ", ".join(_number(value) for column, value in row.items() if column != "subject")
    return f"{row.get('subject')}: {values}"


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _column(expected: Expected) -> str | None:
    return expected.kwargs.get("column") or expected.kwargs.get("column_A")


def _in_words(expected: Expected) -> str:
    kwargs = expected.kwargs
    if "column_B" in kwargs:
        return f"{kwargs['column_A']} {'≥' if kwargs.get('or_equal') else '>'} {kwargs['column_B']}"
    bounds = [f"{sign} {kwargs[name]}" for name, sign in (("min_value", "≥"), ("max_value", "≤")) if name in kwargs]
    if bounds:
        return f"{kwargs.get('column', 'rows')} {' and '.join(bounds)}"
    return ", ".join(f"{name} {value}" for name, value in kwargs.items())


def _document(context: Any, settings: Settings, run: Any) -> None:
    """Add the pages of this run to Data Docs, and take those of old runs away."""
    from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier

    store = context.validation_results_store
    runs = sorted({(key.run_id.run_time, key.run_id.run_name) for key in store.list_keys()})
    for key in store.list_keys():
        if (key.run_id.run_time, key.run_id.run_name) in runs[: -settings.data_docs_runs]:
            store.remove_key(key)
            *folders, name = key.to_tuple()
            (settings.out / "data_docs" / "validations").joinpath(*folders, f"{name}.html").unlink(missing_ok=True)
    pages = [key for key in store.list_keys() if key.run_id.run_name == run.run_name]
    suites = [ExpectationSuiteIdentifier(name=key.expectation_suite_identifier.name) for key in pages]
    context.build_data_docs(resource_identifiers=[*pages, *suites])
