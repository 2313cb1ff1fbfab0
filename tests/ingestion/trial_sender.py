"""A sender of the trial source: writes good files of every table by its contract, with control records."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import psycopg
from xlsx_file import workbook

from ingestion import erasure
from ingestion.contract import Contract, Drift, load_contracts
from warehouse.connection import connect
from warehouse.roles import apply_roles

CONTRACTS = load_contracts(Path(__file__).parent / "contracts")
TRIAL = CONTRACTS["trial"]
DAY = date(2026, 11, 1)
POSTING_HEADER = "posting_id|account_id|posted_on|posted_at|direction|amount|is_reversal|summary"
CUSTOMER_HEADER = "change_flag,change_seq,effective_date,customer_id,customer_name,id_type,id_number,授信额度"
TABLES = tuple(TRIAL)


def drifting(**policies: str) -> dict[str, dict[str, Contract]]:
    """The trial contracts with other policies of drift."""
    drift = Drift.model_validate(policies)
    return {"trial": {name: contract.model_copy(update={"drift": drift}) for name, contract in TRIAL.items()}}


def folder_of(landing: Path, day: date = DAY) -> Path:
    """The folder of a business date, made if need be."""
    folder = landing / "trial" / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def posting_rows(rows: int, day: date = DAY) -> list[str]:
    """Lines of the posting file; amounts are 1.25, 2.50, 3.75 …"""
    lines = []
    for i in range(1, rows + 1):
        amount = f"{Decimal(5 * i) / 4:.2f}"
        at = f"{day} 09:{i % 60:02d}:00"
        lines.append(f"P{day:%d}{i:06d}|6222{i % 50:08d}|{day}|{at}|{'DC'[i % 2]}|{amount}|N|工资 {i}")
    return lines


def posting_total(lines: Sequence[str]) -> Decimal:
    """Sum of the amounts of posting lines."""
    return sum((Decimal(line.split("|")[5]) for line in lines), Decimal(0))


def send_control(path: Path, rows: int, amount: Decimal | None, sha256: str | None = None) -> Path:
    """Writes the control file of a data file."""
    digest = sha256 or hashlib.sha256(path.read_bytes()).hexdigest()
    control = path.with_suffix(".ctl")
    total = "" if amount is None else amount
    text = f"file_name|row_count|amount_total|sha256\r\n{path.name}|{rows}|{total}|{digest}\r\n"
    control.write_text(text, encoding="utf-8", newline="")
    return control


def send_posting(
    folder: Path, rows: int = 20, day: date = DAY, correction: int = 0, lines: Sequence[str] | None = None
) -> Path:
    """Delimited GB18030 with CR LF and a control file."""
    body = list(lines) if lines is not None else posting_rows(rows, day)
    path = folder / TRIAL["posting"].file_name(day, correction)
    path.write_bytes(("\r\n".join([POSTING_HEADER, *body]) + "\r\n").encode("gb18030"))
    send_control(path, len(body), posting_total(body))
    return path


def send_customer(folder: Path, rows: int = 5, day: date = DAY) -> Path:
    """Quoted CSV, UTF-8 with byte order mark, gzip, no control record."""
    ids = ["11010519491231002X", "110101199003070010", "", "91350100M000100Y44", "E12345678"]
    kinds = ["resident_id", "resident_id", "", "uscc", "passport"]
    names = ["王, 明", "王, 小明", "王, 小小明"]
    lines = [
        f'I,{i + 1},{day:%Y%m%d},C{day:%d}{i:04d},"{names[i % 3]}",{kinds[i % 5]},{ids[i % 5]},"¥1,{i % 10}00.50"'
        for i in range(rows)
    ]
    path = folder / TRIAL["customer"].file_name(day)
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        file.write(b"\xef\xbb\xbf" + ("\n".join([CUSTOMER_HEADER, *lines]) + "\n").encode())
    return path


def card_line(number: int, merchant: str, moment: str, cents: int, mcc: str) -> bytes:
    """One detail record."""
    name = merchant.encode("gb18030")
    return b"D" + f"{number:010d}".encode() + name + b" " * (24 - len(name)) + f"{moment}{cents:015d}{mcc}".encode()


def card_file(lines: Sequence[bytes], cents: int, day: date = DAY) -> bytes:
    """Header, details, trailer."""
    header = b"H" + f"{'card_posting':<20}{day:%Y%m%d}".encode()
    trailer = b"T" + f"{len(lines):010d}{cents:020d}".encode()
    return b"\n".join([header, *lines, trailer]) + b"\n"


def send_card_posting(folder: Path, rows: int = 10, day: date = DAY) -> Path:
    """Fixed width; hanzi of two bytes and one of four."""
    lines = [
        card_line(i, f"全聚德𠀀{i}", f"{day:%Y%m%d}12{i % 60:02d}00", 100 * i + 5, "5812") for i in range(1, rows + 1)
    ]
    path = folder / TRIAL["card_posting"].file_name(day)
    path.write_bytes(card_file(lines, sum(100 * i + 5 for i in range(1, rows + 1)), day))
    return path


def send_load_curve(folder: Path, meters: int = 3, day: date = DAY) -> Path:
    """Several record types: a parent per meter, two days each."""
    lines, rows, total = [f"100,load_curve,{day:%Y%m%d}"], 0, Decimal(0)
    for meter in range(meters):
        lines.append(f"200,M{day:%d}{meter:04d},kWh")
        for back in (1, 0):
            reading = Decimal(meter) + Decimal("0.5")
            lines.append(f"300,{day - timedelta(back)},{reading},{reading},,{reading},{3 * reading}")
            rows, total = rows + 1, total + 3 * reading
    lines.append(f"900,{rows},{total}")
    path = folder / TRIAL["load_curve"].file_name(day)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def send_payment(folder: Path, rows: int = 6, day: date = DAY) -> Path:
    """JSON lines with a control file."""
    objects = [
        {
            "payment_id": f"Z{day:%d}{i:05d}",
            "paid_at": f"{day}T10:00:{i % 60:02d}",
            "amount": i + 0.1,
            "is_late": i % 2 == 0,
            "note": None,
        }
        for i in range(rows)
    ]
    path = folder / TRIAL["payment"].file_name(day)
    path.write_text("".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects), encoding="utf-8")
    send_control(path, rows, sum((Decimal(str(o["amount"])) for o in objects), Decimal(0)))
    return path


def send_daily_reading(folder: Path, rows: int = 4, day: date = DAY) -> Path:
    """Parquet with doubles, no control record."""
    path = folder / TRIAL["daily_reading"].file_name(day)
    pl.DataFrame(
        {
            "meter_id": [f"M{i}" for i in range(rows)],
            "reading_date": [day] * rows,
            "kwh": [0.1 + i for i in range(rows)],
        }
    ).write_parquet(path)
    return path


def target_rows(rows: int) -> list[list[object]]:
    """Rows of the sheet of targets; the values are 1000.1, 1000.2 …"""
    kinds, month, agreed = ("deposits", "loans", "cards"), date(2026, 11, 1), datetime(2026, 10, 30, 9, 30)
    return [
        [f"{i:03d}", kinds[i % 3], month, 1000 + i / 10, i, i / 7, agreed, i % 2 == 0, f"备注 {i}"]
        for i in range(1, rows + 1)
    ]


def send_manager_target(folder: Path, rows: int = 6, day: date = DAY) -> Path:
    """An Excel workbook kept by hand, no control record."""
    path = folder / TRIAL["manager_target"].file_name(day)
    header = [column.file_header for column in TRIAL["manager_target"].columns]
    numbered = [[f"{day:%d}{row[0]}", *row[1:]] for row in target_rows(rows)]
    path.write_bytes(workbook([header, *numbered]))
    return path


SENDERS = {
    "posting": send_posting,
    "customer": send_customer,
    "card_posting": send_card_posting,
    "load_curve": send_load_curve,
    "payment": send_payment,
    "daily_reading": send_daily_reading,
    "manager_target": send_manager_target,
}


def send_all(landing: Path, day: date = DAY) -> Path:
    """A whole good delivery; gives its folder."""
    folder = folder_of(landing, day)
    for send in SENDERS.values():
        send(folder, day=day)
    return folder


def empty(session: psycopg.Connection) -> None:
    """Takes all rows out of raw, quarantine and ledger."""
    kept_out = "quarantine.decision, quarantine.row, quarantine.warning, quarantine.value"
    disposal = "ops.erasure, ops.erasure_decision, ops.erased_key, ops.disposal_run, ops.disposal"
    ledger = f"ops.batch, ops.source_file, ops.drift, ops.evolved_column, ops.delivery_term, {disposal}, {kept_out}"
    session.execute(f"truncate {ledger}, {', '.join(f'raw_trial.{table}' for table in TABLES)}")


def ask_erasure(
    session: psycopg.Connection, contracts: dict, customer: str, reason: str, not_before: date | None = None
) -> bool:
    """A request to erase a customer, approved by another; False where it had been requested before."""
    if not erasure.request(session, contracts, "trial", "customer", customer, reason, not_before):
        return False
    apply_roles(session)  # the tables are younger than the roles of the template
    with connect("sophie") as steward:
        (erasure_id,) = steward.execute("select max(erasure_id) from ops.erasure").fetchone()  # type: ignore[misc]
        erasure.decide(steward, erasure_id, "approve", "the person was identified")
    return True
