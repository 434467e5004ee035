"""Microsoft's driver finds what it needs in this environment, whatever the system has."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from layers import microsoft
from local import native_driver
from local.sqlserver import StandIn

from .clients import MICROSOFT
from .conftest import PASSWORD, READER

PACKAGES = Path(sysconfig.get_path("platlib"))
CONNECT_AND_LIST = """
import json, sys
from pathlib import Path
import mssql_python
mssql_python.connect(sys.stdin.read(), autocommit=True).close()
lines = Path("/proc/self/maps").read_text().splitlines()
print(json.dumps(sorted({line.split(maxsplit=5)[-1] for line in lines if "/" in line})))
"""


@pytest.mark.parametrize("client", [MICROSOFT])
def test_its_driver_and_kerberos_come_from_wheels(quiet: StandIn, client: str) -> None:
    asked = f"Server={quiet.host},{quiet.port};UID={READER};PWD={{{PASSWORD}}};Encrypt=yes;TrustServerCertificate=yes;"
    done = subprocess.run(
        [sys.executable, "-c", CONNECT_AND_LIST], input=asked, capture_output=True, text=True, timeout=30, check=True
    )
    loaded = [Path(path) for path in json.loads(done.stdout)]
    ours = [path.name for path in loaded if path.is_relative_to(PACKAGES)]
    assert any({"msodbcsql18": "libmsodbcsql", "mssql-odbc": "mssqlodbc"}[client] in name for name in ours)
    words = ("krb5", "gssapi", "odbc", "ltdl")
    assert [path for path in loaded if any(word in path.name for word in words) and path.name not in ours] == []


def test_what_other_environments_share_is_replaced_and_not_changed(tmp_path: Path) -> None:
    delivered = next(PACKAGES.glob("mssql_python_odbc/libs/linux/*/*/lib/libodbcinst.so.2"))
    shared, folder = tmp_path / "shared", tmp_path / "lib"
    folder.mkdir()
    shared.write_bytes(delivered.read_bytes())
    (folder / delivered.name).hardlink_to(shared)
    for _ in range(2):
        native_driver.complete(folder, PACKAGES / "pymssql.libs")
        assert not (folder / delivered.name).samefile(shared)
    assert shared.read_bytes() == delivered.read_bytes()
    assert all((folder / name).resolve(strict=True).is_file() for name in microsoft.KERBEROS)


def test_a_wheel_without_kerberos_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="libkrb5"):
        native_driver.complete(tmp_path, tmp_path)
