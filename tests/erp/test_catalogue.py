"""The list of ERP systems, and that it costs nothing to show it."""

import json
import subprocess
import sys

import pytest

from erphub.erp import catalogue as erp
from erphub.erp.datasets import BY_ID
from erphub.platform.errors import Invalid, NotFound

SQL_SERVER = {"server": "db01", "login": "reader", "database": "vbsys"}


def test_both_sql_server_systems_are_offered() -> None:
    assert {"visma-business", "sqlserver-generic"} <= {one.id for one in erp.catalogue()}


def test_an_unknown_erp_system_is_not_found() -> None:
    for ask in (erp.describe, lambda name: erp.open_system(name, {}, {})):
        with pytest.raises(NotFound) as missing:
            ask("sap")
        assert missing.value.code == "unknown_erp_system"


def test_settings_that_cannot_be_right_are_refused_before_anything_is_dialled() -> None:
    with pytest.raises(Invalid):
        erp.open_system("visma-business", SQL_SERVER | {"server": "a b"}, {"password": "x"})


@pytest.mark.usefixtures("fresh_python")
def test_listing_the_catalogue_loads_no_driver_and_no_table_engine() -> None:
    code = (
        "import json, sys; from erphub.erp import catalogue as erp, forms;"
        "[forms.step_schema(s) for d in erp.catalogue() for s in d.steps];"
        "erp.open_system('visma-business', {'server': 'db01', 'login': 'x'}, {'password': 'x'});"
        "print(json.dumps([m for m in sys.modules if m.split('.')[0] in"
        " ('pymssql', 'arro3', 'deltalake', 'boto3', 'certifi', 'httpx', 'zeep')]))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(shown.stdout) == []


@pytest.mark.parametrize(
    ("mapping", "offered"),
    [
        ({"accounts": {}}, ["accounts"]),
        ({"customers": {}, "accounts": {}}, ["accounts", "customers"]),
        ({name: {} for name in BY_ID}, list(BY_ID)),
        ({}, []),
        (None, []),
    ],
)
def test_a_connection_of_mapped_tables_has_the_datasets_that_are_mapped(
    mapping: dict[str, object] | None, offered: list[str]
) -> None:
    found = erp.describe("sqlserver-generic").offered({"mapping": mapping})
    assert sorted(found) == sorted(offered)
