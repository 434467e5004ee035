"""The demo where nobody watches: with invented companies, with a file somebody gives, and when it cannot go on.

One test plays it as a user does, with all that it starts and ends. The others are guests of the tests' own hub.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def demo(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo as a program, its temporary files below `tmp_path`."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "80", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", "local.demo", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=540,
    )  # fmt: skip


def as_a_guest(hub: Any, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo on a hub that is up, with the temporary folder's content seen to."""
    before = set(tmp_path.iterdir())
    done = demo(tmp_path, *arguments, "--stack", str(hub.stack.directory))
    assert set(tmp_path.iterdir()) == before, "nothing is left lying about"
    assert hub.call("GET", "/me").status_code == 200, "the hub goes on"
    return done


def saft(lines: str, debit: str, credit: str) -> str:
    """A small audit file of one company with these lines in one voucher."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<AuditFile xmlns="urn:StandardAuditFile-Taxation-Financial:NO">
<Header><AuditFileVersion>1.30</AuditFileVersion><Company><RegistrationNumber>1</RegistrationNumber>
<Name>Øvre Prøve &amp; Sønn AS</Name></Company><DefaultCurrencyCode>NOK</DefaultCurrencyCode></Header>
<MasterFiles><GeneralLedgerAccounts>
<Account><AccountID>1920</AccountID><AccountDescription>Bank</AccountDescription></Account>
<Account><AccountID>3000</AccountID><AccountDescription>Salg</AccountDescription></Account>
</GeneralLedgerAccounts></MasterFiles>
<GeneralLedgerEntries><NumberOfEntries>1</NumberOfEntries><TotalDebit>{debit}</TotalDebit>
<TotalCredit>{credit}</TotalCredit><Journal><Transaction><TransactionID>1</TransactionID><Period>1</Period>
<PeriodYear>2026</PeriodYear><TransactionDate>2026-01-15</TransactionDate>{lines}</Transaction></Journal>
</GeneralLedgerEntries></AuditFile>"""


def line(account: int, side: str, amount: str) -> str:
    return (
        f"<Line><RecordID>1</RecordID><AccountID>{account}</AccountID><Description>x</Description>"
        f"<{side}Amount><Amount>{amount}</Amount></{side}Amount></Line>"
    )


def test_the_demo_connects_imports_and_finds_every_sum_equal(tmp_path: Path):
    done = demo(tmp_path, "--lines", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The server does not accept the login and password." in done.stdout
    assert "2 000 lines came back" in done.stdout
    assert "the sums are the files' own TotalDebit and" in done.stdout
    assert "Everything adds up." in done.stdout
    assert "\x1b[" not in done.stdout, "colours and cursor movements belong on a terminal only"
    assert max(len(row) for row in done.stdout.splitlines()) <= 80
    assert list(tmp_path.iterdir()) == [], "nothing is left lying about"


def test_a_file_with_corrections_on_either_side_gives_its_own_totals(hub: Any, tmp_path: Path):
    file = tmp_path / "corrections in red.xml"
    lines = [line(1920, "Debit", "125.50"), line(3000, "Credit", "125.50")]
    lines += [line(1920, "Debit", "-25.25"), line(3000, "Credit", "-25.25")]
    file.write_text(saft("".join(lines), "100.25", "100.25"))
    done = as_a_guest(hub, tmp_path, "--saft", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"the lake +4 +100\.25 +100\.25 +✓", done.stdout), done.stdout
    assert "4 lines came back" in done.stdout


def test_a_file_whose_totals_are_not_those_of_its_lines_ends_the_demo_with_an_error(hub: Any, tmp_path: Path):
    file = tmp_path / "wrong.xml"
    file.write_text(saft(line(1920, "Debit", "10") + line(3000, "Credit", "10"), "11.00", "10.00"))
    done = as_a_guest(hub, tmp_path, "--saft", str(file))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "does not add up" in done.stdout
    assert "TotalDebit" in done.stdout


@pytest.mark.parametrize("content", [None, "", "<html/>", saft("", "0", "0"), "<AuditFile"])
def test_a_file_that_is_no_ledger_is_refused_before_anything_starts(tmp_path: Path, content: str | None):
    file = tmp_path / "file.xml"
    if content is not None:
        file.write_text(content)
    done = demo(tmp_path, "--saft", str(file))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "The file cannot be used" in done.stdout
    assert done.stderr == ""


def test_a_guest_leaves_the_hub_as_it_was_but_for_a_customer_and_a_connection_at_rest(hub: Any, tmp_path: Path):
    known = {one["id"] for one in hub.call("GET", "/me").json()["clients"]}
    before = hub.call("GET", "/clients/{id}/connections".format(**hub.described["clients"][0])).json()
    done = as_a_guest(hub, tmp_path, "--lines", "200")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Everything adds up." in done.stdout
    [client] = [one for one in hub.call("GET", "/me").json()["clients"] if one["id"] not in known]
    [left] = hub.call("GET", f"/clients/{client['id']}/connections").json()["items"]
    assert left["status"] == "paused", "its server has ended"
    assert hub.call("GET", "/clients/{id}/connections".format(**hub.described["clients"][0])).json() == before


def test_a_hub_that_is_not_up_has_no_guests(tmp_path: Path):
    done = demo(tmp_path, "--scene", "till", "--stack", str(tmp_path / "nowhere"))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "make up" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_real_file_gives_the_totals_it_states(hub: Any, tmp_path: Path, samples: Path):
    file = samples / "saft/ExampleFile_SAF-T_Financial_888888888_20180228235959.xml"
    done = as_a_guest(hub, tmp_path, "--saft", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"the lake +170 +9 487 049\.35 +9 487 049\.35 +✓", done.stdout), done.stdout
