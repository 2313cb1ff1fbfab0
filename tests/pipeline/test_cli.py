"""The command line as a newcomer and a scheduler meet it."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app

COMMANDS = [
    "demo",
    "demo-real",
    "db",
    "simulate",
    "ingest",
    "plan",
    "replay",
    "quarantine",
    "check",
    "build",
    "publish",
    "assess",
    "extract",
    "status",
    "sql",
    "template",
]


def c360(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "pipeline", *arguments], capture_output=True, text=True)


def test_help_teaches_the_way_of_a_business_date() -> None:
    said = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "120"})
    assert said.exit_code == 0
    for command in COMMANDS:
        assert command in said.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    said = CliRunner().invoke(app, [command, "--help"])
    assert said.exit_code == 0 and len(said.stdout.splitlines()) > 5


def test_a_wrong_date_is_the_callers_fault(database: str) -> None:
    said = c360("ingest", "core_banking", "2026-13-01")
    assert said.returncode == 2 and "2026-13-01" in said.stderr


def test_an_unknown_source_says_what_to_check(database: str) -> None:
    said = c360("ingest", "core_bank", "2026-11-01")
    assert said.returncode == 1
    assert "core_bank" in said.stderr and "Traceback" not in said.stderr


def test_a_full_disk_is_told_with_its_place(database: str, home: Path, small_disk) -> None:
    folder = home / "landing" / "berka" / "1999-01-01"
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(small_disk.path)
    (folder / "district.asc").write_text("cut short")
    small_disk.fill()
    said = c360("ingest", "berka", "1999-01-01")
    assert said.returncode == 1 and "Traceback" not in said.stderr
    for words in ("DiskFull", str(folder), "No space left", "run the same command again"):
        assert words in said.stderr


def test_further_days_end_with_the_world() -> None:
    said = c360("simulate", "--scale", "0.001", "--until", "2027-01-01")
    assert said.returncode == 2 and "2026-12-31" in said.stderr and "Traceback" not in said.stderr


def test_sql_is_asked_as_the_login(database: str) -> None:
    said = c360("sql", "select session_user as who", "--as", "audrey", "--format", "json")
    assert (said.returncode, said.stdout.strip()) == (0, '[{"who": "audrey"}]')


def test_sql_cannot_write_as_a_reader(database: str) -> None:
    said = c360("sql", "create table mine (x int)", "--as", "bianca")
    assert said.returncode == 1 and "Traceback" not in said.stderr


def test_a_file_is_tried_against_its_contract(tmp_path: Path) -> None:
    good, bad = tmp_path / "disp.asc", tmp_path / "cut.asc"
    header = '"disp_id";"client_id";"account_id";"type"\r\n'
    good.write_bytes(f'{header}1;1;1;"OWNER"\r\n2;2;2;"THIEF"\r\n'.encode())
    bad.write_bytes(f"{header}1;1;1".encode())
    said = CliRunner().invoke(app, ["contract", "check", "berka", "disp", str(good)])
    assert (said.exit_code, said.exception) == (0, None)
    for words in ("would be loaded; 1 rows good, 1 for quarantine", "codes", "THIEF"):
        assert words in said.stdout
    said = CliRunner().invoke(app, ["contract", "check", "berka", "disp", str(bad)])
    assert said.exit_code == 1 and "would be refused" in said.stdout and "cut_line" in said.stdout
    wider = tmp_path / "balance.txt"
    rows = "".join(f"A{n}|2026-11-0{n}|{n}.00|CNY|2026-11-0{n}\r\n" for n in range(1, 9))
    wider.write_bytes(f"account_id|balance_date|balance|currency|OpenedOn\r\n{rows}".encode())
    said = CliRunner().invoke(app, ["contract", "check", "core_banking", "account_balance", str(wider)])
    assert "would be loaded; 8 rows good" in said.stdout and "new column OpenedOn: quarantine" in said.stdout
    assert "- name: opened_on\n" in said.stdout and "  physicalType: date\n" in said.stdout
    said = CliRunner().invoke(app, ["contract", "check", "berka", "depot", str(good)])
    assert said.exit_code == 2 and "disp" in said.output


def test_a_contract_is_drafted(tmp_path: Path) -> None:
    file = tmp_path / "branch_20261101.csv"
    file.write_text("code,name\n" + "".join(f"{n},支行 {n}\n" for n in range(9)), "utf-8")
    said = CliRunner().invoke(app, ["contract", "infer", str(file), "--source", "hr", "--table", "branch"])
    assert said.exit_code == 0 and "id: hr.branch" in said.stdout
    assert "# Draft from branch_20261101.csv: 9 rows were looked at." in said.stdout


def test_an_empty_sheet_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(app, ["template", "core_banking", "manager_target"])
    assert said.exit_code == 0 and "written: manager_target.csv" in said.stdout
    assert "manager_target_YYYYMMDD.txt" in said.stdout
    assert (tmp_path / "manager_target.csv").read_bytes().startswith(b"change_flag|change_seq|")
    assert c360("contract", "check", "core_banking", "manager_target", "manager_target.csv").returncode == 0
    said = c360("template", "core_banking", "manager_target", "--output", str(tmp_path / "mine.xlsx"))
    assert said.returncode == 1 and "layout.format" in said.stderr and "Traceback" not in said.stderr
    said = CliRunner().invoke(app, ["template", "core_banking", "target"])
    assert said.exit_code == 2 and "manager_target" in said.output
