"""Connection projects of the grid (业扩报装): stages, reviews of design documents, visits of leaders [domain B]."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl

from simulator import parameters as p
from simulator import people
from simulator.calendar import is_working_day
from simulator.changes import history
from simulator.randomness import Streams, choose

FLOWS = {
    "220V": ("application", "survey", "contract", "metering", "energising", "return_visit"),
    "380V": (
        *("application", "survey", "construction", "inspection", "contract", "metering", "energising", "return_visit"),
    ),
    "10kV": (
        *("application", "survey", "external_plan", "internal_plan", "joint_review", "plan_reply", "design"),
        *("design_review", "equipment_tender", "construction", "interim_inspection", "completion_report"),
        *("first_gate", "inspection", "contract", "metering", "energising", "return_visit"),
    ),
}
LONGEST = {"design": 8, "equipment_tender": 6, "construction": 11}  # working days; other stages take up to two
CUSTOMERS_OWN = ("design", "equipment_tender", "construction", "completion_report")
OF_PRODUCTION = ("external_plan", "design_review", "interim_inspection", "first_gate", "inspection", "energising")
DOCUMENTS = ("electrical_primary", "electrical_secondary", "civil_works")
EVENTS = {
    "project_id": pl.String,
    "event_no": pl.Int64,
    "stage": pl.String,
    "event": pl.String,
    "event_at": pl.Datetime("us"),
    "department": pl.String,
    "employee_no": pl.String,
    "note": pl.String,
}
REVIEWS = {
    "document_id": pl.String,
    "submission_no": pl.Int64,
    "project_id": pl.String,
    "document_kind": pl.String,
    "submitted_at": pl.Datetime("us"),
    "reviewed_at": pl.Datetime("us"),
    "reviewer_no": pl.String,
    "is_correct": pl.Boolean,
    "is_complete": pl.Boolean,
    "is_feasible": pl.Boolean,
}
VISITS = {
    "visit_id": pl.String,
    "consumer_no": pl.String,
    "project_id": pl.String,
    "visited_at": pl.Datetime("us"),
    "employee_no": pl.String,
    "uploaded_at": pl.Datetime("us"),
    "solve_by": pl.Date,
    "solved_on": pl.Date,
}


def _later(at: datetime, working_days: int, rng: np.random.Generator) -> datetime:
    """A moment so many working days later; where none, later on the same day as long as it lasts."""
    if not working_days and at.hour < 17:
        return at + timedelta(minutes=int(rng.integers(20, 60)))
    day = at.date()
    for _ in range(max(working_days, 1)):
        day += timedelta(days=1)
        while not is_working_day(day):
            day += timedelta(days=1)
    return datetime.combine(day, time()) + timedelta(seconds=int(rng.integers(31_000, 45_000)))


class Connections:
    """Projects with their events.

    Attributes:
        projects: Change log of `connection_project`; `stages`, `documents` and `visits` (of leaders to their projects)
            are rows of the other tables.
    """

    def __init__(
        self, streams: Streams, consumers: pl.DataFrame, points: int, lines: int, start: date, horizon: date
    ) -> None:
        self.streams, self.start, self.horizon = streams, start, horizon
        self.events: list[tuple[object, ...]] = []
        self.reviews: list[tuple[object, ...]] = []
        self.seen: list[tuple[object, ...]] = []
        base = self._applications(consumers, max(6, round(points * 0.004 * (horizon - start).days / 30)), lines)
        done = [self._run(number, row) for number, row in enumerate(base.iter_rows(named=True))]
        updates = pl.DataFrame(
            done,
            orient="row",
            schema={
                "project_id": pl.String,
                "effective_date": pl.Date,
                "energised_on": pl.Date,
                "cancelled_on": pl.Date,
                "state": pl.String,
            },
        )
        self.projects = history(base, "project_id", "applied_on", [updates])
        self.stages = self._facts(self.events, EVENTS, "event_at", "project_id", "event_no")
        self.documents = self._facts(self.reviews, REVIEWS, "reviewed_at", "document_id", "submission_no")
        self.visits = self._facts(self.seen, VISITS, "uploaded_at", "visit_id")

    @staticmethod
    def _facts(rows: list[tuple[object, ...]], schema: dict[str, object], moment: str, *key: str) -> pl.DataFrame:
        frame = pl.DataFrame(rows, orient="row", schema=schema)
        return frame.with_columns(_date=pl.col(moment).dt.date()).sort(moment, *key, maintain_order=True)

    def _applications(self, f: pl.DataFrame, count: int, lines: int) -> pl.DataFrame:
        rng, rows = self.streams("projects"), []
        names = people.names(rng, choose(rng, count, 0.6))
        for i in range(count):  # the first is early and large, so that the smallest world has one of every stage
            applied = self.start + timedelta(days=int(rng.integers(0, (self.horizon - self.start).days if i else 60)))
            while not is_working_day(applied):
                applied += timedelta(days=1)
            high = not i or bool(rng.random() < 0.4)
            known = int(rng.integers(0, f.height))
            supplied = bool(rng.random() < 0.4) and f["opened_on"][known] < applied
            kva = int(rng.integers(315 if i else p.LEADER_PROJECT_KVA, 4000)) if high else int(rng.integers(8, 100))
            green = bool(rng.random() < 0.1)
            led = green or kva >= p.LEADER_PROJECT_KVA
            rows.append(
                (
                    f"GC{i + 1:08d}",
                    f["customer_id"][known] if supplied else None,
                    f["held_name"][known] if supplied else str(names[i]),
                    "capacity_increase" if supplied else "new_supply" if rng.random() < 0.9 else "temporary",
                    "10kV" if high else "380V" if rng.random() < 0.4 else "220V",
                    kva * 100,
                    f"LN{int(rng.integers(0, lines)) + 1:05d}",
                    green,
                    f"L{int(rng.integers(1, 6)):03d}" if led else None,
                    applied,
                )
            )
        return pl.DataFrame(
            rows,
            orient="row",
            schema={
                "project_id": pl.String,
                "consumer_no": pl.String,
                "applicant_name": pl.String,
                "project_kind": pl.String,
                "voltage_level": pl.String,
                "requested_capacity_kva": pl.Int64,
                "line_id": pl.String,
                "is_green_channel": pl.Boolean,
                "leader_no": pl.String,
                "applied_on": pl.Date,
            },
        ).with_columns(energised_on=pl.lit(None, pl.Date), cancelled_on=pl.lit(None, pl.Date), state=pl.lit("running"))

    def _run(self, number: int, project: dict[str, object]) -> tuple[object, ...]:
        """One project from stage to stage; returns its last change."""
        rng = self.streams("project stages", number)
        cancelled = number and rng.random() < 0.05
        at = datetime.combine(project["applied_on"], time()) + timedelta(seconds=int(rng.integers(31_000, 36_000)))
        energised = None
        self.event_no = 0
        for place, stage in enumerate(FLOWS[project["voltage_level"]]):
            if stage == "return_visit":
                energised = at
                at = _later(at, int(rng.integers(5, 25)), rng)
            elif place:
                at = _later(at, int(rng.integers(1, 3)) if rng.random() < p.STAGE_WAITING_SHARE else 0, rng)
            who = f"G{int(rng.integers(1, 20)):04d}"
            self._event(project, stage, "start", at, who)
            if stage == "design_review":
                at = self._review(rng, project, at, who)
            else:
                at = self._work(rng, project, stage, at, who)
            self._event(project, stage, "end", at, who)
            if cancelled and place == 2:
                return project["project_id"], at.date(), None, at.date(), "cancelled"
        assert energised is not None
        if project["leader_no"]:
            self._visit(rng, project, energised)
        return project["project_id"], energised.date(), energised.date(), None, "energised"

    def _event(self, project: dict[str, object], stage: str, event: str, at: datetime, who: str) -> None:
        self.event_no += 1
        own = "客户" if stage in CUSTOMERS_OWN else "运检部" if stage in OF_PRODUCTION else "营销部"
        self.events.append((project["project_id"], self.event_no, stage, event, at, own, who, None))

    def _work(
        self, rng: np.random.Generator, project: dict[str, object], stage: str, at: datetime, who: str
    ) -> datetime:
        """The time that a stage takes, sent back or halted now and then."""
        if rng.random() < 0.05:
            at += timedelta(minutes=50)
            self._event(project, stage, "rework", at, who)
        if stage not in CUSTOMERS_OWN and rng.random() < p.STAGE_PAUSED_SHARE:
            at += timedelta(minutes=10)
            self._event(project, stage, "pause", at, who)
            at = _later(at, int(rng.integers(1, 5)), rng)
            self._event(project, stage, "resume", at, who)
        return _later(at, int(rng.integers(0, LONGEST.get(stage, 2) + 1)), rng)

    def _review(self, rng: np.random.Generator, project: dict[str, object], at: datetime, who: str) -> datetime:
        """Rounds of review: what is not correct, complete and feasible goes back, and the stage with it."""
        waiting = {kind: number for number, kind in enumerate(DOCUMENTS, start=1) if number < 3 or rng.random() < 0.5}
        submission = 0
        while True:
            submission += 1
            reviewed = _later(at, int(rng.integers(0, 4)), rng)
            back = {}
            for kind, number in waiting.items():
                found = [True, True, True]
                if submission < 3 and rng.random() < p.DESIGN_REJECTED_SHARE:
                    found[int(rng.integers(0, 3))] = False
                    back[kind] = number
                document = f"SJ{project['project_id'][2:]}{number}"
                self.reviews.append(
                    (document, submission, project["project_id"], kind, at, reviewed, who, found[0], found[1], found[2])
                )
            if not back:
                return reviewed
            self._event(project, "design_review", "rework", reviewed, who)
            waiting, at = back, _later(reviewed, int(rng.integers(1, 5)), rng)

    def _visit(self, rng: np.random.Generator, project: dict[str, object], energised: datetime) -> None:
        """Two visits of the leader, before energising and within a month after; some leaders come too early twice."""
        days = (energised.date() - project["applied_on"]).days
        kept = rng.random() < p.LEADER_RULE_KEPT_SHARE
        for turn, offset in enumerate((-(days // 2), int(rng.integers(2, 28)) if kept else -(days // 3))):
            at = datetime.combine(energised.date() + timedelta(days=offset), time(10 + turn, 30))
            self.seen.append(
                (
                    f"VL{project['project_id'][2:]}{turn + 1}",
                    project["consumer_no"],
                    project["project_id"],
                    at,
                    project["leader_no"],
                    at + timedelta(minutes=int(rng.integers(30, 180))),
                    None,
                    None,
                )
            )
