"""The ERP systems that stand in for real ones beside the local stack: programs that say in a line where they listen."""

import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local import processes
from local.emulator import ROOT, clean_environment
from local.processes import Started

SQL_LOGIN = "erphub"
WINDOWS_LOGIN = "NORDLYS\\erphub"
DEMO = ("--demo", "100000")
"""What the stand-in SQL Server holds unless it is told otherwise: companies with 100,000 ledger lines in all."""


def start_sqlserver(
    directory: Path, known: dict[str, Any], content: Sequence[str] = DEMO
) -> tuple[Started, dict[str, Any]]:
    """Start the stand-in SQL Server; returns the program and its address with the logins it accepts.

    `known` is the address of an earlier start: its ports and passwords are used again, so that connections made then
    still work. `content` says what to put into it when it is new. Raises StartupError when it does not come up.
    """
    password = known.get("password") or f"Sql-{secrets.token_urlsafe(12)}"
    windows_password = known.get("windows_password") or f"Win-{secrets.token_urlsafe(12)}"
    arguments = ["-m", "local.sqlserver", *content, "--state", str(directory / "sqlserver.state")]
    arguments += ["--login", f"{SQL_LOGIN}:{password}", "--windows-login", f"{WINDOWS_LOGIN}:{windows_password}"]
    for option in ("port", "browser_port"):
        if known.get(option) and processes.is_free(known[option]):
            arguments += [f"--{option.replace('_', '-')}", str(known[option])]
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}
    started, address = processes.start_announced(
        [sys.executable, *arguments], log=directory / "log" / "sqlserver.log", environment=environment, cwd=directory
    )
    logins = {"login": SQL_LOGIN, "password": password}
    logins |= {"windows_login": WINDOWS_LOGIN, "windows_password": windows_password}
    return started, address | logins
