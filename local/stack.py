"""Starts and ends the hub on this machine: the local AWS, the deployed stack, the stand-in ERPs, the first people."""

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from local import deploy, emulator, processes, seed, standins
from local.emulator import ROOT, Aws, Credentials
from local.processes import Started, StartupError

DEFAULT_DIRECTORY = ROOT / ".local"
SIGN_IN_CALLBACK = "http://localhost:8400/signed-in"
"""Where the pool's sign-in page sends people back to; docs/signing-in.md waits for them there."""


class Stack:
    """One local stack. All it knows lies in its directory, so that any process can find it again."""

    def __init__(self, directory: Path) -> None:
        """A stack at home in `directory`; nothing is started yet."""
        self.directory = directory.resolve()
        self.name = "erphub-local"

    # --- what is kept ---

    @property
    def public(self) -> Path:
        """What a script needs in order to call the hub."""
        return self.directory / "stack.json"

    @property
    def _private(self) -> Path:
        return self.directory / "running.json"

    def describe(self) -> dict[str, Any]:
        """The content of stack.json. Raises StartupError when the stack was never started."""
        if not self.public.exists():
            raise StartupError(f"no stack was started in {self.directory}; say `make up`")
        return cast(dict[str, Any], json.loads(self.public.read_text()))

    def require_up(self) -> dict[str, Any]:
        """The content of stack.json. Raises StartupError when the stack does not run at this moment."""
        described = self.describe()
        if not self.is_up():
            raise StartupError(f"the stack in {self.directory} does not run; say `make up`")
        return described

    def is_up(self) -> bool:
        """Whether it was started and its AWS runs at this moment."""
        running = self._read().get("emulator")
        return self.public.exists() and running is not None and processes.alive(Started(**running))

    def _read(self) -> dict[str, Any]:
        return cast(dict[str, Any], json.loads(self._private.read_text())) if self._private.exists() else {}

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".fresh")
        fresh.write_text(json.dumps(content, indent=2) + "\n")
        fresh.chmod(0o600)
        fresh.rename(path)

    def aws(self) -> Aws:
        """This stack's AWS as the deploying user."""
        known = self.describe()
        keys = known["aws_credentials"]
        return Aws(known["aws_endpoint"], Credentials(keys["access_key_id"], keys["secret_access_key"]))

    # --- up and down ---

    def up(self, parameters: dict[str, str] | None = None, content: Sequence[str] = standins.DEMO) -> dict[str, Any]:
        """Start whatever does not run, deploy what changed, and write stack.json. Saying it twice does no harm.

        `parameters` override the template's for this stack and are remembered; `content` are arguments for the stand-in
        SQL Server, for when it is new. Raises StartupError.
        """
        with self._alone():
            return self._up(parameters or {}, content)

    @contextlib.contextmanager
    def _alone(self) -> Generator[None]:
        """Nobody else starts or ends this stack meanwhile."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _up(self, parameters: dict[str, str], content: Sequence[str]) -> dict[str, Any]:
        state = self._read()
        state.setdefault("root_key", f"AKIA{secrets.token_hex(8).upper()}")
        state["parameters"] = state.get("parameters", {}) | parameters
        built = deploy.build(state["parameters"])
        self._start_emulator(state)
        endpoint = f"http://127.0.0.1:{state['port']}"
        known = state.get("deployer")
        credentials = emulator.deployer(endpoint, state["root_key"], Credentials(**known) if known else None)
        state["deployer"] = {"access_key": credentials.access_key, "secret_key": credentials.secret_key}
        self._write(self._private, state)
        aws = Aws(endpoint, credentials)
        # First, so that the deployment can be told where they are.
        self._start_standins(state, content)
        self._deploy(aws, state, built)
        return self._publish(aws, state)

    def _start_emulator(self, state: dict[str, Any]) -> None:
        running = state.get("emulator")
        if running and processes.alive(Started(**running)):
            return
        if running:
            # It did not end in an orderly way, so it is back at an older state than it had.
            state.pop("deployed", None)
        # The same port again when it is free, so that addresses handed out before stay good.
        port = state.get("port")
        if port is None or not processes.is_free(port):
            port = processes.free_port()
        state["port"] = port
        started = emulator.start(self.directory, port, state["root_key"])
        state["emulator"] = started.as_json()
        # Written down before anything else can go wrong, so that `down` finds it.
        self._write(self._private, state)
        emulator.wait_until_ready(self.directory, port, started)

    def _deploy(self, aws: Aws, state: dict[str, Any], built: Path) -> None:
        parameters = {
            "Stage": "local",
            "Architecture": deploy.architecture(),
            "AdminEmail": seed.ADMINISTRATOR,
            "AllowedErpNetworks": "127.0.0.0/8,::1/128",
            # The stand-in is done with a request within moments, so nobody need wait ten minutes to be sure.
            "ResendDelaySeconds": "4",
            # Long enough to bring a deleted connection back by hand, short enough to see it go.
            "DeletionGraceSeconds": "20",
            "ErpAddresses": standins.addresses(state["stand_ins"]),
            "ErpApplications": standins.APPLICATIONS,
            "RequireTls": "false",
            "MakeApiLogRole": "false",
            "MetricMath": "false",
            "SignInMinutes": "1440",
            "SignInCallbacks": SIGN_IN_CALLBACK,
            "LogLevel": "DEBUG",
        } | state["parameters"]
        wanted = {"build": built.name, "parameters": parameters}
        if state.get("deployed") == wanted:
            return
        state["outputs"] = deploy.deploy(aws, self.name, built, parameters, self.directory / "log" / "deploy.log")
        state["deployed"] = wanted
        self._write(self._private, state)

    def _start_standins(self, state: dict[str, Any], content: Sequence[str]) -> None:
        running: dict[str, Any] = state.setdefault("stand_ins", {})
        for name in standins.STAND_INS:
            known: dict[str, Any] = running.get(name, {})
            if known.get("process") and processes.alive(Started(**known["process"])):
                continue
            started, address = standins.start(name, self.directory, known.get("address", {}), content)
            running[name] = {"process": started.as_json(), "address": address}
            self._write(self._private, state)

    def _publish(self, aws: Aws, state: dict[str, Any]) -> dict[str, Any]:
        outputs: dict[str, str] = state["outputs"]
        described: dict[str, Any] = {
            "stack_name": self.name,
            "api_url": f"{aws.endpoint}/restapis/{outputs['ApiId']}/{outputs['Stage']}/_user_request_",
            "aws_endpoint": aws.endpoint,
            "region": emulator.REGION,
            "aws_credentials": {
                "access_key_id": aws.credentials.access_key,
                "secret_access_key": aws.credentials.secret_key,
            },
            "outputs": outputs,
            "parameters": state["deployed"]["parameters"],
            "stand_ins": {name: known["address"] for name, known in state["stand_ins"].items()},
        }
        described |= seed.plant(aws, described, self.directory / "people.json")
        self._write(self.public, described)
        return described

    def sync(self) -> list[str]:
        """Bring changed Python code into the running functions within seconds. Raises StartupError."""
        updated = deploy.sync(self.aws(), self.name, self.directory / "tmp" / "sync")
        state = self._read()
        state.pop("deployed", None)
        self._write(self._private, state)
        return updated

    def down(self) -> None:
        """End what `up` started. Data stay in the directory for the next `up`."""
        if self._private.exists():
            with self._alone():
                self._down()

    def _down(self, patience: float = 60) -> None:
        state = self._read()
        for known in state.get("stand_ins", {}).values():
            if known["process"]:
                processes.stop(Started(**known["process"]), patience)
                known["process"] = None
        if "emulator" in state:
            processes.stop(Started(**state["emulator"]), patience)
        shutil.rmtree(self.directory / "tmp", ignore_errors=True)
        state.pop("emulator", None)
        self._write(self._private, state)

    def destroy(self) -> None:
        """End what `up` started and forget all of its data."""
        if self._private.exists():
            with self._alone():
                # Nobody waits for programs to save what is thrown away.
                self._down(patience=0)
        shutil.rmtree(self.directory, ignore_errors=True)

    def logs(self, function: str | None = None, minutes: float = 15) -> Iterator[str]:
        """Lines the functions logged in the last minutes, oldest first; of one function (logical name) or all."""
        aws = self.aws()
        client = aws.client("logs")
        groups = deploy.resources(aws, self.name, "AWS::Logs::LogGroup")
        since = int((time.time() - minutes * 60) * 1000)
        lines: list[tuple[int, str]] = []
        for logical, group in groups.items():
            if function is not None and logical != f"{function}Log":
                continue
            pages = client.get_paginator("filter_log_events").paginate(logGroupName=group, startTime=since)
            for event in (event for page in pages for event in page["events"]):
                text = event.get("message", "").rstrip()
                lines.append((event.get("timestamp", 0), f"{logical.removesuffix('Log')}: {text}"))
        yield from (text for _, text in sorted(lines))


def _show(described: dict[str, Any], directory: Path) -> None:
    print(f"\nThe API       {described['api_url']}")
    print(f"The local AWS {described['aws_endpoint']}")
    for name, address in described["stand_ins"].items():
        print(f"Stand-in      {name} at {address.get('url') or f'{address["host"]}:{address["port"]}'}")
    outputs = described["outputs"]
    print(f"Sign in       erphub login --url {described['api_url']} --sign-in-url {described['aws_endpoint']}", end=" ")
    print(f"--app-client-id {outputs['UserPoolClientId']}  (see client/README.md)")
    print("Users")
    for user in described["users"]:
        print(f"  {user['name']:<34} {user['password']:<24} {user['role']}")
    public = directory / "stack.json"
    shown = public.relative_to(Path.cwd()) if public.is_relative_to(Path.cwd()) else public
    print(f"\nAll of it, with current tokens: {shown}")
    token = f"import json; print(json.load(open('{shown}'))['users'][0]['id_token'])"
    print(f'Try:  curl -H "Authorization: Bearer $(python3 -c "{token}")" {described["api_url"]}/me')
    print("End:  make down")


def main() -> None:
    """What `make up`, `down`, `sync` and `logs` call."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("action", choices=["up", "down", "destroy", "sync", "logs"])
    arguments.add_argument("--dir", type=Path, default=Path(os.environ.get("STACK_DIR") or DEFAULT_DIRECTORY))
    arguments.add_argument("--function", help="logs: of this function only")
    arguments.add_argument("--minutes", type=float, default=15, help="logs: of how many minutes")
    arguments.add_argument(
        "--with", dest="parameters", default="", help="up: Parameter=value …, kept for the next time"
    )
    given = arguments.parse_args()
    stack = Stack(given.dir)
    try:
        if given.action == "up":
            _show(stack.up(dict(one.split("=", 1) for one in given.parameters.split())), stack.directory)
        elif given.action == "sync":
            print("updated:", ", ".join(stack.sync()))
        elif given.action == "logs":
            for line in stack.logs(given.function, given.minutes):
                print(line)
        else:
            {"down": stack.down, "destroy": stack.destroy}[given.action]()
    except StartupError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
