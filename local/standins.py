"""The ERP systems that stand in for real ones beside the local stack: programs that say in a line where they listen."""

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local import processes
from local.emulator import ROOT, clean_environment
from local.processes import Started

DEMO = ("--demo", "100000")
"""What the stand-in SQL Server holds unless it is told otherwise: companies with 100,000 ledger lines in all."""
LOGINS = {"login": "erphub", "windows_login": "NORDLYS\\erphub"}
"""Who may sign in to the stand-in SQL Server; the passwords are drawn for each stack."""


@dataclass(frozen=True)
class StandIn:
    """A stand-in: the module to run, and the ports of its announcement that it can be asked to use again."""

    module: str
    ports: Mapping[str, str]
    """Option of the command line by name in the announcement."""


STAND_INS: Mapping[str, StandIn] = {
    "sqlserver": StandIn("local.sqlserver", {"port": "--port", "browser_port": "--browser-port"}),
    "24sevenoffice": StandIn("local.erps.twentyfourseven", {"port": "--port"}),
}

APPLICATIONS = "24sevenoffice=7a0d6f0e-3b1c-4d57-9a61-0d5f2f8a4c11"
"""The application ids that the stand-ins know, as the template's parameter ErpApplications."""


def addresses(running: Mapping[str, Any]) -> str:
    """Where the stand-ins of web services are, as the template's parameter ErpAddresses."""
    found = {name: known["address"].get("url") for name, known in running.items()}
    return ",".join(f"{name}={url}" for name, url in found.items() if url)


def start(
    name: str, directory: Path, known: Mapping[str, Any], content: Sequence[str]
) -> tuple[Started, dict[str, Any]]:
    """Start a stand-in; returns the program and the address it announced, with the logins it accepts.

    `known` is the address of an earlier start: its ports (when free) and passwords are used again, so that connections
    made then still work. `content` says what to put into the SQL Server when it is new. Raises StartupError when the
    program does not come up.
    """
    standin = STAND_INS[name]
    arguments = ["-m", standin.module]
    before: dict[str, Any] = {"port": urlsplit(known.get("url") or "").port} | dict(known)
    for port, option in standin.ports.items():
        if before.get(port) and processes.is_free(before[port]):
            arguments += [option, str(before[port])]
    logins: dict[str, str] = {}
    if name == "sqlserver":
        logins = _logins(known)
        arguments += [*content, "--state", str(directory / "sqlserver.state")]
        arguments += ["--login", f"{logins['login']}:{logins['password']}"]
        arguments += ["--windows-login", f"{logins['windows_login']}:{logins['windows_password']}"]
    environment = clean_environment() | {"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/core'}"}
    started, address = processes.start_listening(
        [sys.executable, *arguments], log=directory / "log" / f"{name}.log", environment=environment, cwd=directory
    )
    return started, address | logins


def _logins(known: Mapping[str, Any]) -> dict[str, str]:
    return LOGINS | {
        "password": known.get("password") or f"Sql-{secrets.token_urlsafe(12)}",
        "windows_password": known.get("windows_password") or f"Win-{secrets.token_urlsafe(12)}",
    }
