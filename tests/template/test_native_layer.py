"""The native reader as it is deployed: from the layers' files alone, and with all that its libraries ask for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from layers import build, needs
from local.emulator import ROOT
from local.sqlserver.scripted import Scripted, answer

AN_INT = b"\x26\x04"
SEVEN, NULL = b"\x04\x07\x00\x00\x00", b"\x00"
READ = """
import sys
from erphub.erp.transports.sqlserver import readers
from erphub.erp.transports.sqlserver.drivers.connection import Login, Reader, GuardEndpoint

guard = GuardEndpoint("127.0.0.1", int(sys.argv[1]), "token", 10)
connection = readers.connect(Reader.MSSQL_ODBC, guard, Login("reader", ""))
connection.run("SELECT")
import mssql_python
print(connection.batch(10).column(0).to_pylist(), readers.is_here(Reader.MSODBCSQL18), mssql_python.__file__)
"""


@pytest.fixture(scope="module")
def layers() -> list[Path]:
    """The layers of the function that imports, for this machine."""
    return [build.wheels(name, build.machine("host")) for name in ("api", "erp", "lake")]


def test_it_reads_from_the_layers_alone_and_microsofts_driver_is_not_among_them(layers: list[Path]) -> None:
    path = ":".join(map(str, [*layers, ROOT / "layers/core"]))
    with Scripted(lambda _: answer("c", AN_INT, [SEVEN, NULL])) as server:
        command = [sys.executable, "-S", "-c", READ, str(server.port)]
        done = subprocess.run(
            command, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[7, None] False ")
    assert str(layers[1]) in done.stdout


def test_a_layer_has_all_that_its_libraries_ask_for(layers: list[Path]) -> None:
    assert [wanting for layer in layers for wanting in needs.missing(layer)] == []


def test_a_library_that_is_not_there_is_named(layers: list[Path], tmp_path: Path) -> None:
    shutil.copytree(layers[1] / "pymssql.libs", tmp_path / "libs")
    (gone,) = (tmp_path / "libs").glob("libkeyutils-*")
    gone.unlink()
    assert any(gone.name.split(".so")[0] in said and "nowhere" in said for said in needs.missing(tmp_path))


def test_a_newer_glibc_than_the_runtimes_is_named(
    layers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(layers[1] / "mssql_py_core", tmp_path / "core")
    monkeypatch.setattr(needs, "GLIBC", (2, 28))
    assert needs.missing(tmp_path)
    assert all("needs glibc 2." in said for said in needs.missing(tmp_path))
