"""The ledger as SQLAlchemy models, for whoever asks it in Python: the command line, a notebook, a data engineer.

    with orm_session("dora") as ledger:
        ledger.scalars(select(SourceFile).where(SourceFile.state == "refused")).all()

The tables are made by `ingestion/migrations/`; a test holds the models to them, down to constraints and comments. The
loader itself writes with psycopg (docs/decisions/0014).
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

LOADED = text("state in ('loaded', 'superseded')")


class Base(DeclarativeBase):
    """What all models share; the comment of a table is the docstring of its model."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        Decimal: Numeric,
        datetime: TIMESTAMP(timezone=True),
        list[int]: ARRAY(BigInteger),
        list[str]: ARRAY(Text),
    }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__table__" in vars(cls):
            cls.__table__.comment = " ".join(str(cls.__doc__).split())


class View(Base):
    """A view, to be read only; PostgreSQL refuses to write to it."""

    __abstract__ = True
    metadata = MetaData()


class Batch(Base):
    """One business date of one source; sequence 1 is the delivery, later ones are declared corrections. Nothing
    downstream reads a batch that is not complete."""

    __tablename__ = "batch"
    __table_args__ = (
        UniqueConstraint("source_system", "business_date", "sequence", "release"),
        CheckConstraint("sequence >= 1"),
        CheckConstraint("release >= 0"),
        CheckConstraint("state in ('open', 'complete', 'refused')"),
        CheckConstraint("(state = 'complete') = (known_at is not null)"),
        CheckConstraint("(state = 'complete') = (completed_at is not null)"),
        {"schema": "ops"},
    )

    batch_id: Mapped[str] = mapped_column(
        primary_key=True,
        comment="source/business date/sequence, for rows out of quarantine followed by /q and the number of the lot",
    )
    source_system: Mapped[str]
    business_date: Mapped[date]
    sequence: Mapped[int] = mapped_column(Integer)
    state: Mapped[str]
    known_at: Mapped[datetime | None] = mapped_column(
        comment="latest time of receipt of the files and control files of the batch, never the time of loading"
    )
    missing_files: Mapped[list[str]] = mapped_column(
        server_default=text("'{}'"), comment="contracted files that are not there yet"
    )
    message: Mapped[str | None]
    opened_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    completed_at: Mapped[datetime | None]
    release: Mapped[int] = mapped_column(
        Integer,
        server_default=text("0"),
        comment="0: sent by the source; n: the n-th lot of rows let out of quarantine",
    )

    files: Mapped[list[SourceFile]] = relationship(back_populates="batch")


class SourceFile(Base):
    """Every file that was ever seen in landing: sent = loaded + quarantined + erased, in rows and amounts, is a
    constraint."""

    __tablename__ = "source_file"
    __table_args__ = (
        CheckConstraint("file_id >= 0"),
        CheckConstraint("sequence >= 1"),
        CheckConstraint("release >= 0"),
        CheckConstraint("bytes >= 0"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'"),
        CheckConstraint("state in ('received', 'loaded', 'refused', 'duplicate', 'superseded', 'replaced', 'unknown')"),
        CheckConstraint(
            "table_name is not null or state in ('unknown', 'duplicate')", name="loaded_files_have_a_table"
        ),
        CheckConstraint(
            "state not in ('loaded', 'superseded')"
            " or coalesce(rows_sent = rows_loaded + rows_quarantined + rows_erased, false)",
            name="sent_rows_are_accounted_for",
        ),
        CheckConstraint(
            "state not in ('loaded', 'superseded') or amount_sent is null"
            " or coalesce(amount_sent = amount_loaded + amount_quarantined + amount_erased, false)",
            name="sent_amounts_are_accounted_for",
        ),
        CheckConstraint("(release > 0) = (released_from is not null)", name="releases_come_from_a_file"),
        Index(
            "source_file_one_loaded",
            *("source_system", "table_name", "business_date", "sequence", "release"),
            unique=True,
            postgresql_where=LOADED,
        ),
        Index("source_file_batch", "batch_id"),
        Index("source_file_content", "source_system", "table_name", "sha256"),
        {"schema": "ops"},
    )

    file_id: Mapped[int] = mapped_column(
        primary_key=True,
        autoincrement=False,
        comment="63 bits of sha256 over source, table, business date, sequence and content; equal in every database",
    )
    batch_id: Mapped[str] = mapped_column(ForeignKey(Batch.batch_id))
    source_system: Mapped[str]
    table_name: Mapped[str | None]
    business_date: Mapped[date]
    sequence: Mapped[int] = mapped_column(Integer, comment="1 is the delivery, n + 1 the declared correction _rn")
    file_name: Mapped[str]
    bytes: Mapped[int]
    sha256: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(
        comment="time of receipt of the file or of its control file, whichever came later"
    )
    state: Mapped[str] = mapped_column(
        comment="received: registered only; loaded; refused: nothing of it is loaded; duplicate: its content was "
        "loaded under another name or date; superseded: loaded and since corrected; replaced: refused and sent anew; "
        "unknown: fits no contract"
    )
    rule: Mapped[str | None]
    line: Mapped[int | None]
    message: Mapped[str | None]
    rows_sent: Mapped[int | None]
    rows_loaded: Mapped[int | None]
    rows_quarantined: Mapped[int | None]
    rows_erased: Mapped[int | None] = mapped_column(
        comment="loaded rows whose personal columns were overwritten, on landing or later"
    )
    rows_warned: Mapped[int | None] = mapped_column(
        comment="loaded rows that break a rule of severity flag, quarantine.warning"
    )
    amount_sent: Mapped[Decimal | None]
    amount_loaded: Mapped[Decimal | None]
    amount_quarantined: Mapped[Decimal | None] = mapped_column(
        comment="amount of the quarantined rows; where one of them cannot be read, the difference to the control total"
    )
    amount_erased: Mapped[Decimal | None]
    counted_by: Mapped[str | None] = mapped_column(
        comment="control file, trailer, or the second count where the sender sends none"
    )
    contract_version: Mapped[str | None]
    superseded_by: Mapped[int | None] = mapped_column(ForeignKey("ops.source_file.file_id"))
    loaded_at: Mapped[datetime | None]
    release: Mapped[int] = mapped_column(
        Integer,
        server_default=text("0"),
        comment="0: sent by the source; n: the n-th lot of rows let out of quarantine",
    )
    released_from: Mapped[int | None] = mapped_column(
        ForeignKey("ops.source_file.file_id"),
        comment="file in whose quarantine the rows lay: name and lines are those of that file, whose own account stays "
        "as it was settled",
    )
    due_at: Mapped[datetime | None] = mapped_column(
        comment="deadline by the contract in force at receipt; NULL where it knew none"
    )
    code_version: Mapped[str | None] = mapped_column(
        comment="SHA-256 over the programs of ingestion that loaded the file"
    )
    landing_deleted_at: Mapped[datetime | None] = mapped_column(
        comment="when the landed file was deleted at the end of its retention"
    )
    rows_deleted_at: Mapped[datetime | None] = mapped_column(
        comment="when its rows were deleted from raw and quarantine at the end of their retention; the account stays"
    )

    batch: Mapped[Batch] = relationship(back_populates="files")
    quarantined: Mapped[list[QuarantinedRow]] = relationship(back_populates="file")
    warnings: Mapped[list[Warned]] = relationship(back_populates="file")
    drift: Mapped[list[Drift]] = relationship(back_populates="file")


class Drift(Base):
    """In what loaded files differ from their contract, and what the contract says of that"""

    __tablename__ = "drift"
    __table_args__ = (CheckConstraint("kind in ('new_column', 'lost_column', 'changed_type')"), {"schema": "ops"})

    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True, comment="name of the column in the file")
    policy: Mapped[str]
    kept_as: Mapped[str | None] = mapped_column(
        comment="column of the raw table that holds the values, where the table has evolved"
    )

    file: Mapped[SourceFile] = relationship(back_populates="drift")


class EvolvedColumn(Base):
    """Columns of raw tables that a load has added, all of them text: personal until their contract classifies them"""

    __tablename__ = "evolved_column"
    __table_args__ = (
        CheckConstraint("kind in ('new_column', 'changed_type')"),
        UniqueConstraint("source_system", "table_name", "kind", "sent_as"),
        {"schema": "ops"},
    )

    source_system: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(
        comment="new_column: the contract lacks the column; changed_type: values of a column that are not of its type"
    )
    sent_as: Mapped[str] = mapped_column(comment="name of the column in the file")
    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id), comment="first file that brought a value")


class DeliveryTerm(Base):
    """What the present contracts say of when a table is owed; one row a table that is not optional and has a time of
    availability"""

    __tablename__ = "delivery_term"
    __table_args__ = (
        CheckConstraint("days in ('every_day', 'working_days', 'ten_day_period_ends', 'month_ends')"),
        CheckConstraint("latency >= 0"),
        {"schema": "ops"},
    )

    source_system: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[str] = mapped_column(comment="business dates for which there is a file")
    latency: Mapped[int] = mapped_column(
        Integer,
        comment="days from the business date to the deadline: calendar days of a table of every day, else working days "
        "of the bank",
    )
    available_at: Mapped[time] = mapped_column(comment="time of the deadline in Asia/Shanghai")
    contract_version: Mapped[str]


class Decision(Base):
    """Who let which quarantined rows of a file out, when and why, and what came of it: one row a decision and file"""

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("action in ('release', 'replay')"),
        CheckConstraint("cardinality(lines) > 0"),
        CheckConstraint(r"reason ~ '\S'"),
        CheckConstraint("(carried_out_at is null) = (rows_loaded is null)"),
        CheckConstraint("(coalesce(rows_loaded, 0) > 0) = (loaded_as is not null)"),
        {"schema": "quarantine"},
    )

    decision_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id))
    action: Mapped[str] = mapped_column(
        comment="release: load the rows as sent, in spite of the rules that they break; replay: put them through the "
        "present contract again"
    )
    lines: Mapped[list[int]] = mapped_column(comment="lines of the file that it speaks of")
    reason: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    decided_by: Mapped[str] = mapped_column(
        server_default=text("session_user"), comment="database login of the one who decided"
    )
    carried_out_at: Mapped[datetime | None]
    rows_loaded: Mapped[int | None]
    loaded_as: Mapped[int | None] = mapped_column(
        ForeignKey(SourceFile.file_id), comment="entry of the ledger under which the rows were loaded"
    )
    message: Mapped[str | None] = mapped_column(comment="why rows stay in quarantine")

    file: Mapped[SourceFile] = relationship(foreign_keys=file_id)


class QuarantinedRow(Base):
    """Every row that was kept out, to be released or replayed"""

    __tablename__ = "row"
    __table_args__ = (
        CheckConstraint("state in ('held', 'released', 'replayed', 'erased')"),
        CheckConstraint(
            "(state in ('released', 'replayed')) = (decision_id is not null)", name="rows_leave_by_decision"
        ),
        {"schema": "quarantine"},
    )

    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, comment="line of the file, from 1; row in a Parquet file")
    source_system: Mapped[str]
    table_name: Mapped[str]
    rule: Mapped[str] = mapped_column(comment="first rule that the row breaks; the message names all")
    column_name: Mapped[str | None]
    message: Mapped[str]
    raw_text: Mapped[str] = mapped_column(
        comment="the row as sent, cut after the set number of characters; the landed file has it whole"
    )
    amount: Mapped[Decimal | None]
    state: Mapped[str] = mapped_column(server_default=text("'held'"))
    decision_id: Mapped[int | None] = mapped_column(
        ForeignKey(Decision.decision_id), comment="decision that let the row out"
    )

    file: Mapped[SourceFile] = relationship(back_populates="quarantined")
    decision: Mapped[Decision | None] = relationship()


class Warned(Base):
    """Loaded rows that break a rule of severity flag"""

    __tablename__ = "warning"
    __table_args__: ClassVar = {"schema": "quarantine"}

    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True)

    file: Mapped[SourceFile] = relationship(back_populates="warnings")


class SetAside(Base):
    """Values of columns that the contract lacks, of rows that are loaded without them; personal until their contract
    classifies them"""

    __tablename__ = "value"
    __table_args__: ClassVar = {"schema": "quarantine"}

    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(primary_key=True, comment="name of the column in the file")
    value: Mapped[str]


class Erasure(Base):
    """One request to erase a person or firm, as one source knows it. It never ends: what a source sends later of the
    same key lands overwritten"""

    __tablename__ = "erasure"
    __table_args__ = (
        CheckConstraint(r"reason ~ '\S'"),
        CheckConstraint("held_until is null or completed_at is null"),
        UniqueConstraint("source_system", "table_name", "key"),
        UniqueConstraint("erasure_id", "requested_by", name="erasure_requester"),
        {"schema": "ops"},
    )

    erasure_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    source_system: Mapped[str]
    table_name: Mapped[str] = mapped_column(
        comment="table of the source whose key names the person: customer, cardholder, consumer"
    )
    key: Mapped[str]
    reason: Mapped[str]
    not_before: Mapped[date | None] = mapped_column(
        comment="first day on which anything may be erased, where a legal hold is known (an investigation, ten years "
        "after the relationship)"
    )
    requested_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    requested_by: Mapped[str] = mapped_column(
        server_default=text("session_user"), comment="database login of the one who requested"
    )
    held_until: Mapped[date | None] = mapped_column(
        comment="day on which the last rows leave the legal hold of their contract"
    )
    completed_at: Mapped[datetime | None] = mapped_column(comment="when nothing was left that had to be overwritten")
    relationship_until: Mapped[date | None] = mapped_column(
        comment="day on which the law lets go of what identifies a customer: 9999-12-31 while an account is open, then "
        "by the term in force"
    )

    decisions: Mapped[list[ErasureDecision]] = relationship(order_by="ErasureDecision.decision_id")

    @property
    def state(self) -> str:
        """`requested`, `rejected`, `approved` (to be carried out), `held` (until the end of a hold) or `done`."""
        verdicts = [decision for decision in self.decisions if decision.verdict != "hold"]
        if not verdicts:
            return "requested"
        if verdicts[-1].verdict == "reject":
            return "rejected"
        return "done" if self.completed_at else "held" if self.held_until else "approved"


class ErasureDecision(Base):
    """What was decided about requests to erase: one row a decision, appended; the last approval or rejection and the
    last hold count"""

    __tablename__ = "erasure_decision"
    __table_args__ = (
        ForeignKeyConstraint(["erasure_id", "requested_by"], [Erasure.erasure_id, Erasure.requested_by]),
        CheckConstraint("verdict in ('approve', 'reject', 'hold')"),
        CheckConstraint(r"reason ~ '\S'"),
        CheckConstraint("verdict <> 'approve' or decided_by <> requested_by", name="requester_is_not_approver"),
        CheckConstraint("(verdict = 'hold') = (hold_until is not null)"),
        Index("erasure_decision_erasure_idx", "erasure_id"),
        {"schema": "ops"},
    )

    decision_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    erasure_id: Mapped[int]
    requested_by: Mapped[str]
    verdict: Mapped[str] = mapped_column(
        comment="approve: another than the requester agrees; reject: nothing more is erased; hold: the law or an "
        "investigation forbids it until a day"
    )
    hold_until: Mapped[date | None] = mapped_column(
        comment="first day on which anything may be erased; a later hold takes its place"
    )
    reason: Mapped[str]
    decided_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    decided_by: Mapped[str] = mapped_column(
        server_default=text("session_user"),
        comment="database login of the one who decided, whatever the statement said",
    )


class ErasedKey(Base):
    """The tombstones: keys of erased persons, and of what is theirs (accounts, complaints), that loads, releases and
    replays ask"""

    __tablename__ = "erased_key"
    __table_args__: ClassVar = {"schema": "ops"}

    source_system: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    erasure_id: Mapped[int] = mapped_column(ForeignKey(Erasure.erasure_id), primary_key=True)


class DisposalRun(Base):
    """One run of retention or erasure"""

    __tablename__ = "disposal_run"
    __table_args__ = (CheckConstraint("kind in ('retention', 'erasure')"), {"schema": "ops"})

    run_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    kind: Mapped[str]
    as_of: Mapped[date] = mapped_column(comment="day (Asia/Shanghai) by which periods were counted")
    begun_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    begun_by: Mapped[str] = mapped_column(server_default=text("session_user"))
    finished_at: Mapped[datetime | None] = mapped_column(
        comment="null where it was interrupted: the next run takes up what is left"
    )


class Disposal(Base):
    """What a run took away of one file in one place"""

    __tablename__ = "disposal"
    __table_args__ = (
        CheckConstraint("place in ('landing', 'raw', 'quarantine')"),
        CheckConstraint("rows >= 0"),
        CheckConstraint("bytes >= 0"),
        {"schema": "ops"},
    )

    run_id: Mapped[int] = mapped_column(ForeignKey(DisposalRun.run_id), primary_key=True)
    file_id: Mapped[int] = mapped_column(ForeignKey(SourceFile.file_id), primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    rows: Mapped[int] = mapped_column(comment="rows deleted (retention) or overwritten (erasure)")
    bytes: Mapped[int | None] = mapped_column(comment="size of a file deleted from landing; 0 where it had gone before")


class LoadedFile(View):
    """Files of complete batches, the one thing that staging joins to; a superseded file stays, since it was known"""

    __tablename__ = "loaded_file"
    __table_args__: ClassVar = {"schema": "ops"}

    file_id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[str]
    source_system: Mapped[str]
    table_name: Mapped[str]
    business_date: Mapped[date]
    sequence: Mapped[int] = mapped_column(Integer)
    known_at: Mapped[datetime]
    superseded_by: Mapped[int | None]
    released_from: Mapped[int | None]


class Delivery(View):
    """One row a table and business date that the sender owes, from the first business date of the source to today"""

    __tablename__ = "delivery"
    __table_args__: ClassVar = {"schema": "ops"}

    source_system: Mapped[str] = mapped_column(primary_key=True)
    table_name: Mapped[str] = mapped_column(primary_key=True)
    business_date: Mapped[date] = mapped_column(primary_key=True)
    due_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None] = mapped_column(
        comment="time of receipt of the first file of the date that could be loaded"
    )
    file_id: Mapped[int | None]
    state: Mapped[str] = mapped_column(
        comment="on_time; late; awaited: its deadline is to come; overdue: its deadline has passed; history: the "
        "deadline had passed when the source was first seen here"
    )
