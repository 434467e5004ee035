"""The native readers as they are deployed: from the layers' files alone, and with all that their libraries ask for."""

import csv
import hashlib
import shutil
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from layers import build, elf, microsoft, needs
from local.emulator import ROOT
from local.sqlserver.scripted import Scripted, answer

AN_INT = b"\x26\x04"
SEVEN, NULL = b"\x04\x07\x00\x00\x00", b"\x00"
READ = """
import sys
from erphub.erp.transports.sqlserver import readers
from erphub.erp.transports.sqlserver.drivers.connection import Login, Reader, GuardEndpoint

guard = GuardEndpoint("127.0.0.1", int(sys.argv[1]), "token", 10)
connection = readers.connect(Reader(sys.argv[2]), guard, Login("reader", ""))
connection.run("SELECT")
import mssql_python
print(connection.batch(10).column(0).to_pylist(), readers.is_here(Reader.MSODBCSQL18), mssql_python.__file__)
libraries = {line.split(maxsplit=5)[-1].strip() for line in open("/proc/self/maps") if ".so" in line}
print(*sorted(libraries), sep="\\n")
"""
IMPORTING = ("api", "erp", "lake")
"""The layers of wheels of the function that imports."""
EVERY = (*IMPORTING, "matching", "paper", "tokens")


@pytest.fixture(scope="module")
def layers() -> list[Path]:
    """The layers of the function that imports, for this machine."""
    return [build.wheels(name, build.machine("host")) for name in IMPORTING]


@pytest.fixture(params=sorted(needs.PROCESSORS))
def machine(request: pytest.FixtureRequest) -> str:
    """Each processor that the hub is deployed on, whichever this machine has."""
    return request.param


def read_with(reader: str, path: list[Path]) -> subprocess.CompletedProcess[str]:
    """Read two rows in a Python that knows these folders and nothing that is installed."""
    with Scripted(lambda _: answer("c", AN_INT, [SEVEN, NULL])) as server:
        return subprocess.run(
            [sys.executable, "-S", "-c", READ, str(server.port), reader],
            env={"PYTHONPATH": ":".join(map(str, [*path, ROOT / "layers/core"]))},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def test_it_reads_from_the_layers_alone_and_microsofts_driver_is_not_among_them(layers: list[Path]) -> None:
    done = read_with("mssql-odbc", layers)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[7, None] False ")
    assert str(layers[1]) in done.stdout


@pytest.mark.parametrize("name", EVERY)
def test_a_layer_has_all_that_its_libraries_ask_for_where_they_look(name: str, machine: str) -> None:
    layer = build.wheels(name, machine)
    assert list(layer.rglob("*.so*"))
    assert needs.missing(machine, layer) == []


# --- what is said of a layer that would not load ---------------------------------------------------------------------


def without_a_library(layer: Path) -> None:
    (gone,) = layer.glob("pymssql.libs/libkeyutils-*")
    gone.unlink()


def with_a_library_elsewhere(layer: Path) -> None:
    (moved,) = layer.glob("pymssql.libs/libkeyutils-*")
    moved.rename(layer / moved.name)


def built_for_the_openssl_before(layer: Path) -> None:
    """What a wheel for manylinux_2_28 wants, which pip would take where it may."""
    (driver,) = layer.glob("mssql_py_core/libs/linux/glibc/*/lib/mssqlodbc.so")
    content = driver.read_bytes()
    assert content.count(b"\0libssl.so.3\0") == 1
    driver.write_bytes(content.replace(b"\0libssl.so.3\0", b"\0libssl.so.1\0"))


def newer_than_the_runtimes_glibc(layer: Path) -> None:
    (driver,) = layer.glob("mssql_py_core/libs/linux/glibc/*/lib/mssqlodbc.so")
    content = driver.read_bytes()
    assert b"\0GLIBC_2.34\0" in content
    driver.write_bytes(content.replace(b"\0GLIBC_2.34\0", b"\0GLIBC_2.38\0"))


def newer_than_the_runtimes_cxx(layer: Path) -> None:
    (bindings,) = layer.glob("mssql_python/ddbc_bindings.cp313-*.so")
    content = bindings.read_bytes()
    assert b"\0GLIBCXX_3.4.11\0" in content
    bindings.write_bytes(content.replace(b"\0GLIBCXX_3.4.11\0", b"\0GLIBCXX_3.4.32\0"))


def for_another_processor(layer: Path) -> None:
    (bindings,) = layer.glob("mssql_python/ddbc_bindings.cp313-*.so")
    content = bytearray(bindings.read_bytes())
    content[18] ^= elf.X86_64 ^ needs.PROCESSORS["aarch64"]
    bindings.write_bytes(content)


BREACHES: dict[Callable[[Path], None], str] = {
    without_a_library: "which is nowhere",
    with_a_library_elsewhere: "lies in libkeyutils",
    built_for_the_openssl_before: "mssqlodbc.so needs libssl.so.1, which is nowhere",
    newer_than_the_runtimes_glibc: "mssqlodbc.so needs GLIBC_2.38, which is newer than the runtime",
    newer_than_the_runtimes_cxx: "GLIBCXX_3.4.32, which is newer than the runtime",
    for_another_processor: "is for another processor",
}


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.__name__)
def test_what_would_not_load_is_named_and_not_built(
    breach: Callable[[Path], None], machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = build.wheels("erp", machine)

    def install(requirements: Path, target: Path, arch: str) -> None:
        shutil.copytree(whole, target)
        breach(target)

    (tmp_path / "layers").symlink_to(ROOT / "layers")
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build, "install_wheels", install)
    with pytest.raises(SystemExit, match=f"layer erp would not load on {machine}: ") as refused:
        build.wheels("erp", machine)
    assert BREACHES[breach] in str(refused.value)
    assert list(tmp_path.glob(".build/layers/erp-*")) == []


# --- Microsoft's driver, for those who accept its licence ------------------------------------------------------------

WISHED = f"Stage=dev {microsoft.PARAMETER}={microsoft.ACCEPTED} SqlServerReader=msodbcsql18"


@pytest.mark.parametrize("parameters", ["", "Stage=dev", "SqlServerReader=msodbcsql18", "MicrosoftDriver=absent"])
def test_no_layer_has_microsofts_driver_unless_its_licence_is_accepted(
    parameters: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARAMETERS", parameters)
    for name in EVERY:
        (tmp_path / name).mkdir()
        build.wheel_layer(name, tmp_path / name, machine)
    files = [path.name.lower() for path in tmp_path.rglob("*")]
    assert len(files) > 1000
    assert [name for name in files if "msodbcsql" in name or "mssql_python_odbc" in name] == []


def test_a_licence_is_not_accepted_by_a_slip() -> None:
    assert microsoft.is_wished(WISHED)
    assert microsoft.is_wished("MicrosoftDriver='licence-accepted'")
    assert not microsoft.is_wished(f"{WISHED} MicrosoftDriver=absent")
    for slip in ("true", "accepted", "", "license-accepted"):
        with pytest.raises(SystemExit, match="MicrosoftDriver must be absent or licence-accepted"):
            microsoft.is_wished(f"MicrosoftDriver={slip}")


def with_microsofts(target: Path, machine: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARAMETERS", WISHED)
    build.wheel_layer("erp", target, machine)
    return target / "python"


def test_its_file_stays_as_microsoft_delivered_it_with_its_terms_beside_it(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = with_microsofts(tmp_path, machine, monkeypatch)
    (driver,) = layer.rglob("libmsodbcsql*")
    (record,) = layer.glob("mssql_python_odbc-*.dist-info/RECORD")
    said = {row[0]: row[1] for row in csv.reader(record.read_text().splitlines())}
    digest = urlsafe_b64encode(hashlib.sha256(driver.read_bytes()).digest()).rstrip(b"=").decode()
    assert said[str(driver.relative_to(layer))] == f"sha256={digest}"
    assert (driver.parent / "MICROSOFT_ODBC_DRIVER_FOR_SQL_SERVER_LICENSE.txt").stat().st_size > 10_000


def test_it_has_all_that_it_asks_for_in_the_erp_layer(
    machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = with_microsofts(tmp_path, machine, monkeypatch)
    assert needs.missing(machine, layer) == []
    alone = needs.missing(machine, build.wheels(microsoft.LAYER, machine))
    assert any("libkrb5.so.3 needs libk5crypto-" in said for said in alone), "it leans on the erp layer's libraries"
    (kerberos,) = layer.rglob("libkrb5.so.3")
    kerberos.unlink()
    assert any("needs libkrb5.so.3, which is nowhere" in said for said in needs.missing(machine, layer))


def test_it_reads_from_the_layers_alone(layers: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    erp = with_microsofts(tmp_path, build.machine("host"), monkeypatch)
    done = read_with("msodbcsql18", [layers[0], erp, layers[2]])
    assert done.returncode == 0, done.stderr
    first, *loaded = done.stdout.splitlines()
    assert first.startswith("[7, None] True ")
    ours = {Path(one).name for one in loaded if Path(one).is_relative_to(erp)}
    assert {"libodbcinst.so.2", "libkrb5.so.3", "libgssapi_krb5.so.2"} <= ours
    assert any(name.startswith("libmsodbcsql-") for name in ours)
    strangers = [one for one in loaded if "krb5" in one and not Path(one).is_relative_to(erp)]
    assert strangers == [], "Kerberos comes from the layer"
