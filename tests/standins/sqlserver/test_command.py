"""The stand-in as a program: one line when it is ready, a switchboard, a memory, and a clean end."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymssql
import pytest

from .clients import PYMSSQL

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def running(*arguments: str) -> Iterator[dict[str, Any]]:
    """The program with its ready line; ended by SIGTERM and expected to end well."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "layers" / "core"), str(ROOT)])}
    with subprocess.Popen(
        [sys.executable, "-m", "local.sqlserver", *arguments], stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "it ended before it was ready"
            yield json.loads(line)
        finally:
            process.terminate()
            code = process.wait(20)
    assert code == 0


def call(ready: dict[str, Any], path: str, body: dict[str, Any] | None = None, method: str = "POST") -> Any:
    """One request to the switchboard."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(ready["admin_url"] + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def ledger(ready: dict[str, Any], password: str = "pw", database: str = "F0001") -> int:
    connection = pymssql.connect(ready["host"], "reader", password, port=str(ready["port"]), **PYMSSQL)
    try:
        each = connection.cursor()
        each.execute(f"USE [{database}]")
        each.execute("SELECT [JNo], [AcAm] FROM [dbo].[AcTr]")
        return len(each.fetchall())
    finally:
        connection.close()


def test_the_demo_companies_are_served_changed_and_remembered(tmp_path: Path) -> None:
    state = str(tmp_path / "state.duckdb")
    with running("--demo", "1000", "--login", "reader:pw", "--state", state) as ready:
        assert {"F0001", "F0002", "F0003", "F0010", "F0011", "vbsys"} <= set(ready["databases"])
        assert ledger(ready) == 400
        call(ready, "/logins", {"name": "reader", "password": "new", "databases": ["F0001"]})
        with pytest.raises(pymssql.Error):
            ledger(ready)
        call(ready, "/databases/drop", {"name": "F0002"})
        call(ready, "/sql", {"database": "F0001", "text": "DELETE FROM {AcTr} WHERE JNo = 1"})
        left = ledger(ready, "new")
        assert left < 400
        assert call(ready, "/stats", method="GET")["statements"]["rows"] == 2
    with running("--state", state) as again:
        assert again["authority"] == ready["authority"]
        assert "F0002" not in again["databases"]
        assert ledger(again, "new") == left


def test_faults_are_switched_on_and_off_over_http(tmp_path: Path) -> None:
    with running("--ledger", "F0001:3000", "--login", "reader:pw") as ready:
        call(ready, "/faults", {"kind": "deadlock", "statement": "rows", "table": "AcTr", "after_rows": 10, "times": 0})
        for _ in range(2):
            with pytest.raises(pymssql.Error, match="1205"):
                ledger(ready)
        call(ready, "/faults", method="DELETE")
        assert ledger(ready) == 3000
        assert call(ready, "/stats", method="GET")["faults_happened"] == {"deadlock": 2}
        for path, body, code in (
            ("/faults", {"kind": "flood"}, 400),
            ("/nowhere", {}, 404),
            ("/databases/drop", {"name": "F9999"}, 404),
            ("/sql", {"database": "F0001", "text": "SELEC"}, 400),
        ):
            with pytest.raises(urllib.error.HTTPError) as caught:
                call(ready, path, body)
            with caught.value as answer:
                assert answer.code == code
                assert json.loads(answer.read())["error"]


def test_a_file_that_is_no_audit_file_stops_the_program_with_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "not.xml"
    file.write_text("hello")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "layers" / "core"), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, "-m", "local.sqlserver", "--saft", str(file), "--as", "F0001"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "not.xml is no well-formed XML" in done.stderr


def test_a_saft_file_is_served_under_the_name_given(tmp_path: Path, samples: Path) -> None:
    file = samples / "saft" / "ExampleFile_SAF-T_Financial_888888888_20180228235959.xml"
    with running("--saft", str(file), "--as", "F0001", "--login", "reader:pw") as ready:
        assert ledger(ready) == 170
        found = call(ready, "/sql", {"database": "vbsys", "text": "SELECT FrmNo, Nm FROM {Frm}"})
        assert found == {"rows": [[1, "Tøyen Lekefabrikk AS"]]}
