"""Properties: what was written is what is read; whatever happens to a file, sent = loaded + quarantined or refused."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from test_readers import read, with_layout
from trial_sender import (
    DAY,
    POSTING_HEADER,
    TRIAL,
    card_file,
    card_line,
    posting_rows,
    send_card_posting,
    send_load_curve,
    send_payment,
    send_posting,
)

from ingestion.check import check_file
from ingestion.contract import Contract, Control
from ingestion.options import IngestOptions

EXAMPLES = 60


def gb18030(excluded: str) -> st.SearchStrategy[str]:
    """Characters of GB 18030 except those that the layout uses."""
    return st.characters(codec="gb18030", exclude_characters=excluded + "\r\n\0", exclude_categories=["Cs"])


def texts(excluded: str, bytes_at_most: int) -> st.SearchStrategy[str]:
    """Text of a length in bytes, not empty, no blanks at its end."""
    text = st.text(gb18030(excluded), min_size=1, max_size=bytes_at_most // 4)
    return text.filter(lambda t: t == t.rstrip(" "))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.lists(texts("|", 30), min_size=8, max_size=8), min_size=1, max_size=12),
    st.sampled_from([256, 300, 8 << 20]),
)
def test_delimited_text_comes_back(rows, block_bytes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "posting.txt"
        path.write_bytes(("\r\n".join([POSTING_HEADER, *("|".join(row) for row in rows)]) + "\r\n").encode("gb18030"))
        frame, rejects, reader = read(TRIAL["posting"], path, block_bytes=max(block_bytes, 8 * 31 + 20))
    assert not rejects and reader.counted == len(rows)
    assert [list(row) for row in frame.drop("_line").rows()] == rows
    assert frame["_line"].to_list() == list(range(2, len(rows) + 2))


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(texts("\x1f", 24), min_size=1, max_size=12), st.sampled_from([128, 8 << 20]))
def test_fixed_width_text_comes_back(names, block_bytes):
    lines = [card_line(i, name, "20261101120000", 100, "5812") for i, name in enumerate(names)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "CARD_POSTING_20261101.dat"
        path.write_bytes(card_file(lines, 100 * len(lines)))
        frame, rejects, reader = read(TRIAL["card_posting"], path, block_bytes=block_bytes)
    assert not rejects
    assert frame["merchant_name"].to_list() == names
    assert reader.declared.amount == Decimal(len(names))


@st.composite
def corrupted(draw: st.DrawFn, content: bytes) -> bytes:
    """A file after some bytes were changed, left out, doubled or put in."""
    data = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(0, 12))
        if draw(st.booleans()):
            data[at : at + length] = draw(st.binary(max_size=8))
        else:
            data[at:at] = data[at : at + length]
    return bytes(data)


def files() -> list[tuple[Contract, str, bytes]]:
    """A good file of every text format, each with its control record and without."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = [
            ("posting", send_posting(folder, lines=posting_rows(6))),
            ("card_posting", send_card_posting(folder, rows=4)),
            ("load_curve", send_load_curve(folder, meters=2)),
            ("payment", send_payment(folder, rows=4)),
        ]
        found = []
        for table, path in good:
            contract = TRIAL[table]
            free = contract.model_copy(
                update={"control": Control(kind="none", amount_column=contract.control.amount_column)}
            )
            found += [(contract, path.name, path.read_bytes()), (free, path.name, path.read_bytes())]
        return found


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(st.data(), st.sampled_from(files()))
def test_whatever_happens_to_a_file_its_account_ties_out(data, sent):
    contract, name, content = sent
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        if contract.control.kind == "control_file":
            {
                "posting": lambda: send_posting(Path(folder), lines=posting_rows(6)),
                "payment": lambda: send_payment(Path(folder), rows=4),
            }[contract.table]()
        path.write_bytes(data.draw(corrupted(content)))
        report = check_file(contract, path, DAY, options=IngestOptions(reject_threshold=1, block_bytes=512))
    if report.would == "load":
        account = report.settled
        assert (
            account.rows_sent
            == account.rows_loaded + account.rows_quarantined
            == report.rows_good + report.rows_rejected
        )
        assert account.amount_sent == account.amount_loaded + account.amount_quarantined
    else:
        assert report.refusal.rule and report.refusal.file == name and report.refusal.advice


def test_a_corrupted_delimiter_of_several_bytes_is_contained(tmp_path):
    contract = with_layout(TRIAL["posting"], delimiter="|+|")
    path = send_posting(tmp_path, rows=4)
    path.write_bytes(path.read_bytes().replace(b"|", b"|+|").replace(b"|+|D|+|", b"|+D|+|", 1))
    frame, rejects, _ = read(contract, path)
    assert frame.height == 3 and [r.rule for r in rejects] == ["field_count"]
