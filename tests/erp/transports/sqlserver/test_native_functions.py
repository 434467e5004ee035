"""The package behind the native readers is private where the hub calls it: a change is found by its name."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from erphub.erp.transports.sqlserver.drivers.native import FUNCTIONS, load
from tests.support.integration import integration

from .conftest import NATIVE

LOCK = Path(__file__).resolve().parents[4] / "layers/erp/requirements.txt"
_NUMBER = "typing.SupportsInt | typing.SupportsIndex"
SIGNATURES = {
    "DDBCSQLExecDirect": "(arg0: ddbc_bindings.SqlHandle, arg1: str) -> int",
    "DDBCSQLFetchArrowBatch": (
        f"(StatementHandle: ddbc_bindings.SqlHandle, capsules: list, arrowBatchSize: {_NUMBER}, charCtype: {_NUMBER},"
        " messages: object = None) -> int"
    ),
    "DDBCSQLGetAllDiagRecords": "(handle: ddbc_bindings.SqlHandle) -> list",
    "DDBCSQLNumResultCols": "(statementHandle: ddbc_bindings.SqlHandle, messages: object = None) -> int",
    "DDBCSQLResetStmt": "(arg0: ddbc_bindings.SqlHandle) -> int",
}


@pytest.fixture
@integration
def functions() -> Any:
    return load(NATIVE)


def test_every_function_that_is_called_is_looked_at() -> None:
    assert set(SIGNATURES) == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_private_function_takes_and_gives_what_it_did(functions: Any, name: str) -> None:
    assert getattr(functions, name).__doc__.splitlines()[0] == name + SIGNATURES[name]


def test_the_release_that_is_deployed_is_the_one_that_is_tested() -> None:
    assert f"mssql-python=={version('mssql-python')} " in LOCK.read_text()
