"""The command `erphub` in a terminal, on the deployed hub: sign in, connect, import, read rows, send, see the log."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pexpect
import pyarrow.parquet as pq
import pytest

from local.emulator import ROOT
from tests.e2e import till
from tests.e2e.test_signing_in import Form
from tests.e2e.waiting import PATIENCE
from tests.e2e.wizard import WizardUser

COMMAND = [sys.executable, "-m", "erphub_client"]
COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def _hear_interrupts() -> None:
    """Ctrl-C ends a command in a terminal; what runs tests in the background has its children ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Terminal:
    """Somebody at a terminal: everything that ever stood on their screen is kept."""

    def __init__(self, folder: Path, client: str) -> None:
        self.folder, self.client = folder, client
        self.screen = io.StringIO()
        self.environment = {
            "PATH": os.defpath, "HOME": str(folder), "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT / "client/src"), "ERPHUB_CONFIG_DIR": str(folder / "config"),
        }  # fmt: skip

    def type(self, *words: str) -> "pexpect.spawn[str]":
        running = pexpect.spawn(
            COMMAND[0], [*COMMAND[1:], *words], env=self.environment, timeout=PATIENCE, encoding="utf-8",
            dimensions=(60, 200), cwd=str(self.folder), preexec_fn=_hear_interrupts,
        )  # fmt: skip
        running.logfile_read = self.screen
        return running

    def ends(self, running: "pexpect.spawn[str]", code: int = 0) -> str:
        """What it says until its end, which must have this exit code."""
        running.expect(pexpect.EOF)
        running.close()
        said = COLOURS.sub("", str(running.before))
        assert running.exitstatus == code, COLOURS.sub("", self.screen.getvalue())[-3000:]
        return said

    def pipe(self, *words: str, code: int = 0) -> bytes:
        """The command as a script calls it, without a terminal."""
        done = subprocess.run(
            [*COMMAND, *words, "--client", self.client], env=self.environment, capture_output=True, check=False,
            stdin=subprocess.DEVNULL, timeout=PATIENCE, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == code, done.stderr.decode()[-2000:]
        return done.stdout


def fill_in(hub: Any, address: str) -> str:
    """What the browser is sent back to after somebody has filled in the sign-in page."""
    administrator = hub.user("administrator")
    with httpx.Client(base_url=hub.aws.endpoint, timeout=PATIENCE) as person:
        fields = Form(person.get(address).text).fields
        fields |= {"username": administrator["name"], "password": administrator["password"]}
        return person.post("/login", data=fields).headers["location"]


@pytest.fixture(scope="module")
def terminal(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Generator[Terminal]:
    """Somebody who has signed in by the page, in a customer of their own."""
    user = WizardUser.of_a_new_customer(hub)
    terminal = Terminal(tmp_path_factory.mktemp("terminal"), user.client)
    running = terminal.type(
        "login", "--url", hub.described["api_url"], "--sign-in-url", hub.aws.endpoint, "--no-browser",
        "--app-client-id", hub.outputs["UserPoolClientId"], "--client", user.client,
    )  # fmt: skip
    running.expect(r"(http://\S+/oauth2/authorize\S+)")
    assert running.match is not None
    back = fill_in(hub, running.match[1])
    running.expect("paste the address")
    running.sendline(back)
    assert hub.user("administrator")["name"] in terminal.ends(running)
    yield terminal
    tokens = json.loads((terminal.folder / "config/profiles.json").read_text())["profiles"]["default"]["sign_in"]
    for secret in (tokens["id_token"], tokens["refresh_token"], hub.user("administrator")["password"]):
        assert secret not in terminal.screen.getvalue()


def test_an_erp_is_connected_imported_and_read(hub: Any, terminal: Terminal) -> None:
    server: dict[str, Any] = hub.described["stand_ins"]["sqlserver"]
    running = terminal.type("connect")
    running.expect("Which ERP system")
    running.expect(r"(\d+)\s+Visma Business")
    assert running.match is not None
    running.sendline(running.match[1])
    running.expect(r"Server: ")
    running.sendline(f"127.0.0.1,{server['port']}")
    running.expect("Database.*: ")
    running.sendline("")
    running.expect("Number.*: ")
    running.sendline("1")
    running.expect(r"Login: ")
    running.sendline(server["login"])
    running.expect("Database to sign in to.*: ")
    running.sendline("")
    running.expect(r"Password: ")
    running.sendline("not-the-password")
    running.expect(r"Number.*: ")
    running.sendline("2")
    running.expect(r"Allow other users.*: ")
    running.sendline("")
    running.expect(r"credentials_refused")
    command_line = Path(f"/proc/{running.pid}/cmdline").read_bytes()

    # The step is asked again, and now knows what was answered before; the password is typed anew.
    running.expect(r"Server.*: ")
    running.sendline("")
    running.expect("Database.*: ")
    running.sendline("")
    running.expect("Number.*: ")
    running.sendline("")
    running.expect(r"Login.*: ")
    running.sendline("")
    running.expect("Database to sign in to.*: ")
    running.sendline("")
    running.expect(r"Password: ")
    running.sendline(server["password"])
    running.expect(r"Number.*: ")
    running.sendline("")
    running.expect(r"Allow other users.*: ")
    running.sendline("")
    running.expect("numbers with commas between.*: ")
    running.sendline("0")
    running.expect("Type numbers from 1")
    running.sendline("1")
    running.expect("Connect again.*: ")
    running.sendline("")
    running.expect("Name: ")
    running.sendline("From the terminal")
    running.expect("Number.*: ")
    running.sendline("1")
    assert "Connected." in terminal.ends(running)
    for password in ("not-the-password", server["password"]):
        assert password not in terminal.screen.getvalue()
        assert password.encode() not in command_line

    (connection,) = (json.loads(line) for line in terminal.pipe("connections", "--json").splitlines())
    assert (connection["name"], connection["status"]) == ("From the terminal", "active")

    jobs = [json.loads(line) for line in terminal.pipe("import", "jobs", "--json").splitlines()]
    job = next(one for one in jobs if one["period"]["kind"] == "everything" or one["schedule"] is None)
    followed = terminal.type("import", "run", job["id"], "--follow")
    assert re.search(r"succeeded: [\d,]+ rows read", terminal.ends(followed))
    assert re.search(r"[\d,]+ rows\s+[\d,]+ rows/s", COLOURS.sub("", terminal.screen.getvalue()))

    as_csv = terminal.pipe("rows", "accounts").decode().splitlines()
    with (terminal.folder / "accounts.parquet").open("wb") as file:
        redirected = [*COMMAND, "rows", "accounts", "--client", terminal.client]
        subprocess.run(redirected, stdout=file, env=terminal.environment, check=True, timeout=PATIENCE)
    table = pq.read_table(terminal.folder / "accounts.parquet")
    assert table.num_rows == len(as_csv) - 1 > 10
    assert table.column_names == as_csv[0].split(",")


def test_a_folder_is_sent_and_the_log_followed(hub: Any, terminal: Terminal) -> None:
    shop = till.connect(hub, "Shop")
    shop.set_up()
    folder = terminal.folder / "till"
    folder.mkdir()
    for number in (1, 2):
        sold = {"vat_rate": "25", "amount": "125.00", "vat": "25.00"}
        document = {"kind": "settlement", "external_id": f"Z{number}", "date": f"2026-03-0{number}", "number": number}
        document |= {"sales": [sold], "payments": [{"means": "cash", "amount": "125.00"}]}
        (folder / f"z{number}.json").write_text(json.dumps(document))
    following = terminal.type(
        "log", "--follow", "--days", "4000", "--connection", shop.connection, "--client", shop.client
    )
    sending = terminal.type("send", "till", "--connection", shop.connection, "--client", shop.client)
    sent = terminal.ends(sending)
    assert "created" in sent
    assert re.search(r"Transfer succeeded: 2 sent", sent)
    for number in (1, 2):
        following.expect(rf"sent\s+\S*\s+settlement.*Z{number}")
    following.sendintr()
    terminal.ends(following, code=130)
    again = terminal.type("send", "till", "--connection", shop.connection, "--client", shop.client)
    assert terminal.ends(again).count("unchanged") == 2
    assert [len(shop.vouchers(number, f"2026-03-0{number}")) for number in (1, 2)] == [1, 1]
