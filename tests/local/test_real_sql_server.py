"""The script that is for a real SQL Server, asked of the stand-in: what it can show passes, by every reader."""

import os
import subprocess
import sys

import pytest

from local import real_sql_server
from local.sqlserver import Catalogue, StandIn
from tests.support.integration import integration

PASSWORD = "Read-Only-1"


@pytest.fixture
@integration
def databases() -> dict[str, Catalogue]:
    """One that allows snapshots, one that does not."""
    made: dict[str, Catalogue] = {}
    for name, snapshot in (("with", True), ("without", False)):
        made[name] = Catalogue()
        made[name].database("F0001", snapshot=snapshot)
        made[name].login("reader", PASSWORD, databases=["F0001"])
    return made


def asked(catalogue: Catalogue, reader: str) -> tuple[int, dict[str, str]]:
    """The exit code, and what is said of each point."""
    with StandIn(catalogue, open_mode=True) as server:
        command = [sys.executable, "-m", "local.real_sql_server", f"127.0.0.1,{server.port}", "reader", "F0001", reader]
        environment = os.environ | {"ENCRYPTION": "trust", "NETWORKS": "127.0.0.0/8"}
        done = subprocess.run(
            command, input=PASSWORD + "\n", env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    lines = [line.rpartition(f": {reader}: ") for line in done.stdout.splitlines()]
    return done.returncode, {point: said for said, _, point in lines}


@pytest.mark.parametrize("reader", ["pymssql", "mssql-odbc", "msodbcsql18"])
def test_every_point_but_one_passes_and_that_one_says_why(databases: dict[str, Catalogue], reader: str) -> None:
    code, said = asked(databases["with"], reader)
    assert list(said) == [point.name for point in real_sql_server.POINTS]
    (unshown,) = [point for point in real_sql_server.POINTS if point.only_real]
    assert said.pop(unshown.name).startswith("fail (this is the stand-in; a real server alone can show it: ")
    assert set(said.values()) == {"pass"}
    assert code == 1, "what has failed has failed, whatever the reason"


def test_a_point_without_an_occasion_is_unseen_and_no_failure(databases: dict[str, Catalogue]) -> None:
    _, said = asked(databases["without"], "pymssql")
    assert said["the same in a snapshot"] == "unseen (the database does not allow snapshot isolation)"
