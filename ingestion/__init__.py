"""From landed files to raw tables: contracts, readers, validation, quarantine, ledger."""

from ingestion.batch import BatchReport, FileReport, NothingLanded, ingest
from ingestion.check import CheckReport, check_file
from ingestion.contract import Contract, load_contracts
from ingestion.refusal import ContractError, Refusal

__all__ = [
    "BatchReport",
    "CheckReport",
    "Contract",
    "ContractError",
    "FileReport",
    "NothingLanded",
    "Refusal",
    "check_file",
    "ingest",
    "load_contracts",
]
