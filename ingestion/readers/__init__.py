"""One reader per format; a contract's layout says which."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ingestion.contract import Contract
from ingestion.options import IngestOptions
from ingestion.readers.base import FileReader
from ingestion.readers.delimited import DelimitedReader
from ingestion.readers.fixed_width import FixedWidthReader
from ingestion.readers.jsonl import JsonLinesReader
from ingestion.readers.parquet import ParquetReader
from ingestion.readers.records import RecordsReader
from ingestion.readers.xlsx import XlsxReader

READERS: dict[str, type[FileReader]] = {
    "delimited": DelimitedReader,
    "fixed_width": FixedWidthReader,
    "records": RecordsReader,
    "jsonl": JsonLinesReader,
    "parquet": ParquetReader,
    "xlsx": XlsxReader,
}


def open_reader(
    contract: Contract, path: Path, options: IngestOptions, business_date: date | None = None
) -> FileReader:
    """The reader of a file by its contract's format."""
    return READERS[contract.layout.format](contract, path, options, business_date)
