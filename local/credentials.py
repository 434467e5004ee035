"""Credentials of a deployment's connections: `make move-credentials`, `make rotate-keys`, `make destroy-keys`.

Run with the credentials of whoever runs the deployment, never by a function: none may destroy a client's key or read
everybody's passwords. Everything may be broken off and begun again at any time. Nothing secret is printed.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3

from erphub.platform.aws.credentials.moving import Move, Moved
from erphub.platform.aws.credentials.rotation import Rotation
from erphub.platform.aws.table import Table
from erphub.platform.clock import Pause
from erphub.platform.errors import HubError
from erphub.platform.resources import PlatformResources
from erphub.platform.settings import read_settings
from erphub.wizards.dynamodb import WizardTable

SECONDS_EACH = 1 / 10
"""Between two of them: each makes and deletes a secret at most, and an account has 50 such calls a second for all."""


@dataclass(frozen=True)
class OpenWizards:
    """Satisfies `OpenAnswers`."""

    wizards: WizardTable

    def may_change(self, name: str) -> bool:
        """Whether an open wizard keeps its answers under this name."""
        client_id, owner, *draft = name.split("/")
        found = (self.wizards.get(client_id, one) for one in draft or self.wizards.of_connection(client_id, owner))
        return any(one.status.is_open and one.secret_name == name for one in found if one is not None)


@dataclass
class MoveReport:
    """Counts what became of each, tells what is not as it should be, and keeps the pace."""

    pause: Pause = time.sleep
    became: dict[Moved, int] = field(default_factory=dict[Moved, int])

    def __call__(self, name: str, became: Moved, error: Exception | None = None) -> None:
        """One more."""
        self.became[became] = self.became.get(became, 0) + 1
        if became is not Moved.MOVED:
            print(f"{name}: {became}" + (f" ({type(error).__name__}: {error})" if error else ""), file=sys.stderr)
        self.pause(SECONDS_EACH)


def resources(outputs: Mapping[str, str]) -> PlatformResources:
    """The stores of the deployment with these outputs."""
    return PlatformResources(
        read_settings(
            {
                "TABLE_NAME": outputs["TableName"],
                "SECRET_PREFIX": outputs["SecretPrefix"],
                "SEALED_TABLE": outputs["CredentialsTable"],
                "CHOSEN_STORE": outputs["CredentialStore"],
            }
        )
    )


def move(platform: PlatformResources, pause: Pause = time.sleep) -> bool:
    """Move what is not in the chosen store; whether all of it is there now."""
    report = MoveReport(pause)
    is_done = Move(
        platform.sealed_credentials,
        platform.secret_per_connection,
        platform.settings.credential_store,
        OpenWizards(WizardTable(Table(platform.settings.table))),
        platform.clock,
    ).run(report)
    counts = ", ".join(f"{count} {became.name.lower()}" for became, count in report.became.items()) or "nothing to move"
    end = "All of them are there." if is_done else "Some are not: run it again later."
    print(f"Credentials into {platform.settings.credential_store}: {counts}. {end}")
    return is_done


def finish(rotation: Rotation, clients: Sequence[str]) -> bool:
    """Drop the keys of clients that were replaced; whether none is left. One that fails keeps no other waiting."""
    left = 0
    for client_id in clients:
        try:
            left += not rotation.finish(client_id)
        except HubError as error:
            left += 1
            print(f"{client_id}: {error.code}: {error}", file=sys.stderr)
    print(
        f"{left} of {len(clients)} clients still have an old key: run it again later."
        if left
        else "No old key is left."
    )
    return not left


def begin(rotation: Rotation, clients: Sequence[str]) -> None:
    """Have everything sealed with a new key from now on."""
    ready = [until for client_id in clients if (until := rotation.begin(client_id)) is not None]
    if not ready:
        print("No client has a key.")
        return
    print(f"{len(ready)} clients have a new key. Drop the old ones with FINISH=1 after {max(ready):%H:%M} UTC.")


def main(arguments: Sequence[str]) -> int:
    """0 when it is done, 1 when it is to be run again."""
    parser = argparse.ArgumentParser(prog="local.credentials", description=__doc__)
    parser.add_argument("what", choices=["move", "rotate", "destroy"])
    parser.add_argument("--stack", required=True)
    parser.add_argument("--client", default="", help="one client only")
    parser.add_argument("--finish", action="store_true", help="drop the keys that were replaced before")
    given = parser.parse_args(arguments)
    session: Any = boto3.Session()
    stack = session.client("cloudformation").describe_stacks(StackName=given.stack)["Stacks"][0]
    outputs = {one.get("OutputKey", ""): one.get("OutputValue", "") for one in stack.get("Outputs", [])}
    platform = resources(outputs)
    rotation = Rotation(platform.sealed_credentials, platform.clock)
    match given.what:
        case "move":
            return 0 if move(platform) else 1
        case "rotate":
            clients = [given.client] if given.client else rotation.clients()
            if given.finish:
                return 0 if finish(rotation, clients) else 1
            begin(rotation, clients)
        case _:
            if not given.client:
                parser.error("say whose keys are to be destroyed: CLIENT=…")
            rotation.destroy(given.client)
            print(f"No credentials of client {given.client} can be read any more.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
