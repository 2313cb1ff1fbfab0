"""The warehouse's own pages inside Airflow, before and after a step has written them."""

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

os.environ.setdefault("AIRFLOW_HOME", str(Path(os.environ["C360_HOME"]) / "airflow_of_test_pages"))
sys.path.append(str(Path(__file__).resolve().parents[2] / "dags" / "plugins"))

from pages import Pages


def test_pages_that_are_not_made_yet_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("C360_HOME", str(tmp_path))
    server = FastAPI()
    server.mount("/reports", Pages("reports"))
    early = get(server, "/reports/")
    assert early.status_code == httpx.codes.NOT_FOUND and "Not made yet" in early.text
    assert get(server, "/reports/2026-10/index.html").status_code == httpx.codes.NOT_FOUND
    (tmp_path / "out" / "reports").mkdir(parents=True)
    (tmp_path / "out" / "reports" / "index.html").write_text("<p>2026-10</p>", "utf-8")
    assert get(server, "/reports/").text == "<p>2026-10</p>"


def get(server: FastAPI, path: str) -> httpx.Response:
    """Ask the server without a network."""

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://warehouse") as reader:
            return await reader.get(path)

    return asyncio.run(ask())
