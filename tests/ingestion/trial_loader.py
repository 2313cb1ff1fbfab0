"""The loader of the trial source in a process of its own, forked from one that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Mapping
from datetime import date
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import psycopg
import pytest
from trial_sender import CONTRACTS, DAY, drifting

from ingestion.batch import ingest
from ingestion.release import carry_out


@cache
def _forks() -> ForkServerContext:
    """The server that loaders are forked from. Not started on import: it imports this module itself."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with pytest.MonkeyPatch.context() as patch:  # Python 3.11's fork server knows no other path and says nothing
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        ensure_running()
    return context


def start(
    database: str, landing: Path, fault: str = "", day: date = DAY, drift: Mapping[str, str] | None = None
) -> ForkServerProcess:
    """Starts a loader of a day; with `fault` it kills itself at that point (`ingestion.fault`).

    The policies of `drift`, if given, are those of all contracts.
    """
    process = _forks().Process(target=_load, args=(database, landing, fault, day, drift))
    process.start()
    return process


def start_release(database: str, landing: Path, fault: str) -> ForkServerProcess:
    """Starts what carries out the open decisions about quarantined rows; it kills itself at the point `fault`."""
    process = _forks().Process(target=_release, args=(database, landing, fault))
    process.start()
    return process


def _release(database: str, landing: Path, fault: str) -> None:
    os.environ["C360_FAULT"] = fault
    with psycopg.connect(database, autocommit=True) as connection:
        carry_out(connection, landing, CONTRACTS)


def _load(database: str, landing: Path, fault: str, day: date, drift: Mapping[str, str] | None) -> None:
    os.environ["C360_FAULT"] = fault
    contracts = CONTRACTS if drift is None else drifting(**drift)
    with psycopg.connect(database, autocommit=True, application_name="trial loader") as connection:
        ingest("trial", day, connection=connection, landing=landing, contracts=contracts)
