"""Lets Microsoft's ODBC driver for SQL Server, which only tests use, load without any package of the system."""

import sys
import sysconfig
from pathlib import Path

from layers import microsoft


def complete(folder: Path, kerberos: Path) -> None:
    """Give the driver in `folder` what it asks the system for, from `kerberos`, the folder of pymssql's libraries.

    The driver itself stays as it was delivered. Can be repeated. Raises FileNotFoundError when a wheel is laid out
    otherwise, subprocess.CalledProcessError when a file cannot be changed.
    """
    # The libraries' own names go beside those that the driver knows: one found through a link looks for its
    # dependencies where the link lies.
    links = {library.name: library for library in kerberos.iterdir()} | microsoft.kerberos_in(kerberos)
    for name, library in links.items():
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(library.relative_to(folder, walk_up=True))
    microsoft.without_libtool(folder / "libodbcinst.so.2")


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
