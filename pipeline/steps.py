"""The steps of a business date. The command line and the DAGs call these and nothing else.

ingest each source · check_raw · stage · identify · build · check_marts · publish · then assess, extract, report as due.
Every step may be run again: it goes on where a killed run stopped and does nothing where all is done. Each run is
recorded in `ops.step_run`. Dates are `datetime.date` or ISO text; periods are months, `YYYY-MM`.
"""

import calendar
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import psycopg

import assessment
import expectations
import identity
import ingestion
import regulatory
import reports
from assessment import AssessmentReport
from assessment import plan as targets
from expectations import CheckReport
from identity import IdentityReport, model, quality, training
from identity.rematch import Rematch, rematch
from ingestion import disposal, erasure, quarantine, release, retention
from ingestion.batch import BatchReport
from ingestion.erasure import ErasureReport
from ingestion.quarantine import Action, Selection
from ingestion.release import ReleaseReport
from ingestion.retention import Expired
from pipeline import backfill, freshness, marts, overwriting, rebuilding, scoring, transformation
from pipeline.backfill import Backfill
from pipeline.comparison import Comparison
from pipeline.data_tests import record_tests
from pipeline.freshness import FreshnessReport
from pipeline.record import recorded
from pipeline.schema import contracts, prepare
from pipeline.transformation import TransformationReport
from pipeline.wording import in_words
from regulatory import PackageReport
from warehouse.connection import connect, orm_session
from warehouse.publication import PublicationReport
from warehouse.settings import get_settings

SIMULATED_SOURCES = ("core_banking", "card", "grid_billing", "retail")
"""The sources of the bank, the grid and the retail distributor: a business date is built when all have arrived."""

_ONE_BUILDER = 3_600_360_010  # advisory lock: one business date is built at a time

Day = date | str


class StepError(RuntimeError):
    """A step could not do its work; the message says why and what to do next."""


def ingest(source: str, business_date: Day, progress: ingestion.batch.Progress | None = None) -> BatchReport:
    """Receive and load what the source landed for the date (DESIGN decisions 2 and 3).

    Raises:
        StepError: a file was refused or is missing; the good files are loaded, the batch is not complete.
    """
    day = as_date(business_date)
    with recorded("ingest", day, source) as note:
        report = ingestion.ingest(source, day, contracts=contracts(), progress=progress)
        carry_out()
        note.message = in_words(report)
        if not report.is_complete:
            raise StepError(incomplete(report))
        return report


def let_out(
    action: Action, chosen: Selection, reason: str, login: str, progress: release.Progress | None = None
) -> list[ReleaseReport]:
    """Let rows out of quarantine: record the decision as `login`, then load what can be loaded.

    Args:
        action: `release` (as sent) or `replay` (through the present contract).
        chosen: which rows; only those of loaded files can leave.
        reason: why, in words.
        login: who decides; a login that may append to `quarantine.decision`.
        progress: called with decisions done, all, and what the last spoke of.
    """
    with orm_session(login) as session:
        decided = quarantine.decide(session, action, chosen, reason)
    return carry_out(progress) if decided else []


def carry_out(progress: release.Progress | None = None) -> list[ReleaseReport]:
    """Carry out the decisions about quarantined rows that are open, also those that a killed run left."""
    with connect(autocommit=True) as session:
        return release.carry_out(session, get_settings().landing, contracts(), progress=progress)


def request_erasure(
    source: str, table: str, key: str, reason: str, login: str, not_before: date | None = None
) -> list[str]:
    """Request as `login` that a person be erased: in this source, and wherever its controller knows the same party.

    Another approves it (`decide_erasure`), then `erase` carries it out.

    Returns:
        The keys that were not requested before, as `source.table key`.

    Raises:
        Refusal: the table's key names no person.
    """
    with connect(login) as session:
        persons = [(source, table, key.strip()), *overwriting.same_person(session, source, table, key.strip())]
        return [
            f"{one[0]}.{one[1]} {one[2]}"
            for one in persons
            if erasure.request(session, contracts(), *one, reason, not_before)
        ]


def decide_erasure(
    erasure_id: int, verdict: erasure.Verdict, reason: str, login: str, hold_until: date | None = None
) -> None:
    """Approve or reject a request to erase as `login`, or hold it until a day.

    Raises:
        Refusal: there is no such request, or the one who requested it would approve it.
    """
    with connect(login) as session:
        erasure.decide(session, erasure_id, verdict, reason, hold_until)


def erase(as_of: date | None = None, progress: erasure.Progress | None = None) -> ErasureReport:
    """Overwrite everywhere what may be erased of the persons whose erasure was approved; write their pages anew."""
    day = as_of or disposal.today()
    with recorded("erase", day) as note, _one_builder(), connect(autocommit=True) as session:
        overwriting.hold_customers(session)
        report = erasure.carry_out(session, contracts(), day, progress)
        report.warehouse.update(overwriting.overwrite(session))
        if report.warehouse:
            for page in sorted((get_settings().out / "reports").glob("????-??/index.html")):
                reports.report(get_settings(), page.parent.name)
        note.message, note.figures = in_words(report), {"rows": report.rows}
        return report


def end_of_retention(as_of: date | None = None) -> list[Expired]:
    """What `retire` would delete."""
    with connect(autocommit=True) as session:
        return retention.expired(session, contracts(), as_of, _not_taken_up(session))


def retire(as_of: date | None = None, progress: retention.Progress | None = None) -> list[Expired]:
    """Delete landed files, and rows of raw and quarantine, whose retention has ended (DESIGN decision 9)."""
    day = as_of or disposal.today()
    with recorded("retire", day) as note, connect(autocommit=True) as session:
        ended = retention.dispose(session, get_settings().landing, contracts(), day, _not_taken_up(session), progress)
        landed, rows = sum(file.is_landed for file in ended), sum(file.rows for file in ended if file.has_rows)
        note.message, note.figures = (
            f"{landed:,} landed files and {rows:,} rows deleted",
            {"files": landed, "rows": rows},
        )
        return ended


def _not_taken_up(session: psycopg.Connection) -> list[str]:
    """Batches that an incremental model has still to take up; all of them before the first build."""
    rows = session.execute(
        """
        with consumer as (
            select distinct consumer
            from ops.batch_taken_up
            where to_regclass(split_part(consumer, ' <- ', 1)) is not null
        )

        select batch_id
        from ops.batch
        where
            not exists (select 1 from consumer)
            or exists (
                select 1 from consumer
                where not exists (
                    select 1 from ops.batch_taken_up as taken
                    where taken.consumer = consumer.consumer and taken.batch_id = batch.batch_id
                )
            )
        """
    ).fetchall()
    return [batch_id for (batch_id,) in rows]


def check_raw(business_date: Day, sources: Sequence[str] | None = None) -> CheckReport:
    """Check what was loaded: volumes, distributions, reconciliation between sources (DESIGN decision 14).

    Raises:
        expectations.GateClosed: a check of severity fail failed.
    """
    day = as_date(business_date)
    with recorded("check_raw", day) as note:
        report = expectations.check_raw(get_settings(), day, list(sources or arrived(day)))
        note.message, note.figures = in_words(report), report.figures
        return report


def check_freshness(source: str = "all") -> FreshnessReport:
    """Ask dbt which tables of a source, or of all, are behind what their contracts owe by now; record the answers."""
    day = disposal.today()
    with recorded("check_freshness", day, source) as note:
        report = freshness.check(day, source)
        note.message, note.figures = in_words(report), report.figures
        return report


def stage(business_date: Day, progress: transformation.Progress | None = None) -> TransformationReport:
    """Make the staging views and what identity reads, where they do not stand already."""
    day = as_date(business_date)
    with recorded("stage", day) as note, _one_builder():
        report = transformation.stage(progress)
        note.message, note.figures = in_words(report), report.figures
        return report


def identify(business_date: Day, progress: Callable[[str], None] | None = None) -> IdentityReport:
    """Place new and changed customers into parties; append the decisions as events (DESIGN decision 7).

    Where the ground truth of a simulated world lies in the home, the parties are measured against it.
    """
    day = as_date(business_date)
    with recorded("identify", day) as note, connect() as session:
        (received,) = session.execute("select max(known_at) from ops.loaded_file").fetchone()  # type: ignore[misc]
        report = identity.resolve(session, day, progress, received)
        note.message, note.figures = in_words(report), report.figures
        if get_settings().truth.exists():
            quality.keep(session, day, quality.measure_against(session, get_settings().truth))
        return report


def train_identity(folder: Path | None = None, progress: Callable[[str], None] | None = None) -> list[Path]:
    """Learn the weights of the model by which customers are compared; returns the files, to be reviewed and committed.

    Raises:
        identity.training.TrainingError: the warehouse holds too little to learn from.
    """
    with connect() as session:
        customers = training.standing_customers(session)
    return training.train(customers, folder or model.WEIGHTS, progress)


def rematch_identity() -> Rematch:
    """What matching all customers afresh would change; nothing is written (DESIGN decision 7)."""
    with connect() as session:
        return rematch(session)


def build(business_date: Day, progress: transformation.Progress | None = None) -> TransformationReport:
    """Build change logs, star and marts from all batches not taken up yet, and test them.

    Raises:
        assessment.RulesRefused: a rule file of assessments is wrong; nothing was loaded or built.
    """
    day = as_date(business_date)
    with recorded("build", day) as note, _one_builder():
        check_rules()
        others = ("--exclude", "tag:stage", "tag:results", "tag:quality")
        report = transformation.run("build", *others, progress=progress, note=partial(record_tests, day))
        transformation.keep_living()
        note.message, note.figures = in_words(report), report.figures
        return report


def check_rules() -> None:
    """Check the rule files of assessments as they stand in the project.

    Raises:
        assessment.RulesRefused: with file, line and reason of everything that is wrong.
    """
    assessment.check_rules(transformation.PROJECT / "seeds")


def plan(business_date: Day, workbook: Path, reason: str, preparer: str, approver: str) -> TransformationReport:
    """Upload a workbook of targets as one login, approve it as another, and build the targets anew.

    Raises:
        assessment.workbook.PlanRefused: something in it is wrong, or both are the same person.
    """
    day = as_date(business_date)
    with recorded("plan", day) as note, _one_builder():
        with connect(preparer) as session:
            number = targets.upload(workbook, reason, session)
        with connect(approver) as session:
            targets.decide_upload(number, "approved", reason, session)
        report = transformation.run("build", "--select", "fct_kpi_plan_curve+", "--exclude", "tag:results")
        note.message, note.figures = f"upload {number}: {in_words(report)}", report.figures
        return report


def check_marts(business_date: Day) -> CheckReport:
    """The gate: nothing is published unless it opens.

    Raises:
        expectations.GateClosed: a check of severity fail failed; the publication in force stays.
    """
    day = as_date(business_date)
    with recorded("check_marts", day) as note:
        report = expectations.check_marts(get_settings(), day)
        note.message, note.figures = in_words(report), report.figures
        return report


def publish(business_date: Day) -> PublicationReport:
    """Score what was checked, then make the marts the ones that readers see, all at once (DESIGN decision 12)."""
    day = as_date(business_date)
    with recorded("publish", day) as note, _one_builder():
        transformation.run("build", "--select", "tag:quality")
        _restrict()
        report = marts.publish(f"business date {day}", day, results=False)
        note.message = in_words(report)
        return report


def assess(period: str, kind: str = "final") -> AssessmentReport:
    """Assess the customer managers for a month, build the scorecards and publish them (DESIGN decision 11).

    Args:
        period: month, `YYYY-MM`; it must be closed and published.
        kind: `provisional` or `final`.

    Raises:
        assessment.RulesRefused: a rule file is wrong; nothing is assessed on it.
    """
    with recorded("assess", last_day(period), period) as note, _one_builder():
        check_rules()
        report = assessment.assess(period, kind=kind)
        note.figures = transformation.run("build", "--select", "tag:results").figures
        _restrict()
        marts.publish(f"assessment {period}", None, results=True)
        note.message = in_words(report)
        return report


def rerun(run_id: str) -> str:
    """Make an assessment again in a schema of its own, from what it pinned; returns what is different, in words.

    Its inputs are gathered from the publication of that time, its scores computed by the present code from what it
    sealed, into the schemas of dbt's target `rerun`. Nothing that is in force is touched.

    Raises:
        AssessmentRefused: there is no such run.
        StepError: something is not as it was sealed and scored.
    """
    with connect() as session:
        inputs = assessment.rerun(run_id, session)
    with _one_builder():
        scores = scoring.score_again(run_id)
    changed = inputs.changed if inputs.is_kept else {}
    wrong = [f"{count:,} rows of {name} differ" for name, count in (changed | scores.changed).items()]
    if wrong:
        raise StepError(f"{run_id} made again is not the same: {', '.join(wrong)}")
    rows = sum(inputs.gathered.values())
    same = f"{rows:,} sealed rows and" if inputs.is_kept else f"publication {inputs.publication} is no longer kept;"
    return f"{run_id}: {same} {scores.rows:,} rows of results are the same"


def extract(profile: str, period: str) -> PackageReport:
    """Make the regulator package of a profile for a month: declared, validated, numbered.

    Raises:
        regulatory.ValidationFailed: a row breaks the specification; no package is made.
    """
    with recorded("extract", last_day(period), f"{profile} {period}") as note:
        report = regulatory.extract(get_settings(), profile, period)
        note.message = in_words(report)
        return report


def report(period: str, known_on: str | None = None) -> Path:
    """Write the scorecard pages of a month from what is published; returns the path of the first page.

    Args:
        period: month, `YYYY-MM`.
        known_on: a day or a time stamp: from what was published then, into a folder of its own.

    Raises:
        reports.ReportRefused: no assessment of the month is published.
    """
    with recorded("report", last_day(period), period) as note:
        page = reports.report(get_settings(), period, known_on=known_on)
        note.message = page.name
        return page


def rebuild(
    known_on: str | None = None, progress: transformation.Progress | None = None, keep: bool = False
) -> Comparison:
    """Build anew into schemas of its own and compare: everything that lives, or the marts as known on a past day.

    Args:
        known_on: a day or a time stamp; None: everything, as of now.
        progress, keep: see `rebuilding.rebuild`.

    Raises:
        rebuilding.RebuildError: there is nothing to rebuild or to compare with.
    """
    with recorded("rebuild", disposal.today(), f"known on {known_on}" if known_on else "") as note, _one_builder():
        if known_on:
            comparison = rebuilding.rebuild_as_known(known_on, progress, keep)
        else:
            comparison = rebuilding.rebuild(progress, keep)
        note.message = in_words(comparison)
        return comparison


def change_report(progress: transformation.Progress | None = None, keep: bool = False) -> Comparison:
    """Build the marts of this checkout into schemas of its own and compare them with the published ones.

    Args:
        progress, keep: see `rebuilding.change_report`.

    Raises:
        rebuilding.RebuildError: nothing was built or published yet.
    """
    with recorded("change_report", disposal.today()) as note, _one_builder():
        comparison = rebuilding.change_report(progress, keep)
        note.message = in_words(comparison)
        return comparison


def document() -> Path:
    """Write dbt's documentation of all models; returns the path of the page."""
    return transformation.write_docs()


def run_date(
    business_date: Day, sources: Sequence[str] = SIMULATED_SOURCES, progress: Callable[[str], None] | None = None
) -> PublicationReport:
    """All steps of one business date in order, up to its publication.

    Args:
        business_date: the date.
        sources: sources whose files of the date are received.
        progress: told of each step before it begins.
    """
    say = progress or (lambda step: None)
    prepare()
    for source in sources:
        say(f"ingest {source}")
        ingest(source, business_date)
    say("check_raw")
    check_raw(business_date, sources)
    for step in (stage, identify, build, check_marts):
        say(step.__name__)
        step(business_date)
    say("publish")
    return publish(business_date)


def run_backfill(number: int | str, progress: transformation.Progress | None = None) -> Backfill:
    """Take the dates of an approved backfill the whole way, in order; a run that was killed goes on where it stopped.

    Args:
        number: of the request.
        progress: called before each step with (dates done, dates, date and step).

    Raises:
        backfill.BackfillError: it is not approved, or another one runs.
        StepError: a step of a date failed; when what the message names is put right, the same backfill is run again.
    """
    asked = backfill.to_run(int(number))
    with backfill.dates_left(asked) as days:
        if not days:
            return asked
        with recorded("backfill", asked.first_date, str(asked.backfill_id)) as note:
            for day in days:

                def say(step: str, day: date = day) -> None:
                    if progress:
                        progress((day - asked.first_date).days, asked.dates, f"{day} {step}")

                run_date(day, asked.sources, say)
                backfill.note_done(asked, day)
            note.message = f"{asked.dates} dates done"
    return backfill.find(asked.backfill_id)


def _restrict() -> None:
    """What marts show of persons to be erased goes before it is published, also where the law holds their records."""
    with connect(autocommit=True) as session:
        overwriting.overwrite(session, ("mart_build",))


def arrived(business_date: Day) -> list[str]:
    """Sources whose first batch of the date is complete."""
    with connect(autocommit=True) as session:
        rows = session.execute(
            "select source_system from ops.batch where business_date = %s and sequence = 1 and release = 0 "
            "and state = 'complete' order by source_system",
            [as_date(business_date)],
        ).fetchall()
    return [source for (source,) in rows]


def as_date(day: Day) -> date:
    """A date from itself or from ISO text."""
    return day if isinstance(day, date) else date.fromisoformat(day)


def last_day(period: str) -> date:
    """The last day of a month given as `YYYY-MM`."""
    year, month = (int(part) for part in period.split("-"))
    return date(year, month, calendar.monthrange(year, month)[1])


def incomplete(report: BatchReport) -> str:
    """What is wrong with a batch, file by file, and what to do."""
    refused = [f"  {file.file_name}: {file.message}" for file in report.files if file.state in ("refused", "unknown")]
    missing = [f"  {name}: was not sent" for name in report.missing]
    heading = f"{report.source} {report.business_date}: the batch is {report.state}"
    advice = "Put right what is named, then run the same command again; what is loaded stays loaded."
    return "\n".join([heading, *refused, *missing, *(f"  {text}" for text in report.messages), advice])


@contextmanager
def _one_builder():
    """Two builds at once: the second waits. The lock dies with its session, so a killed build leaves none."""
    with connect(autocommit=True) as session:
        session.execute("select pg_advisory_lock(%s)", [_ONE_BUILDER])
        try:
            yield
        finally:
            if not session.closed:
                session.execute("select pg_advisory_unlock(%s)", [_ONE_BUILDER])
