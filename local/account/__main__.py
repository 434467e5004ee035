"""`make preflight`, `restore`, `smoke`: looks at an account before a deployment, takes up what one left, asks one."""

import argparse
import os
import shlex
import sys
import tomllib
from collections.abc import Sequence
from typing import Any

import boto3
import httpx
from botocore.exceptions import BotoCoreError, ClientError

from local.emulator import ROOT

from . import Clients
from .preflight import Deployment, Level, findings
from .restore import CannotRestore, missing, restore
from .smoke import address, smoke


def pairs(words: str) -> dict[str, str]:
    """{name: value} of `Name=value …`, as sam takes parameters. Raises SystemExit for anything else."""
    split = [word.partition("=") for word in shlex.split(words)]
    if wrong := [name for name, sign, _ in split if not sign]:
        raise SystemExit(f"not Name=value: {' '.join(wrong)}")
    return {name: value for name, _, value in split}


def clients() -> Clients:
    """Clients with the deployer's credentials, as boto3 finds them. Raises SystemExit when there is no region."""
    session: Any = boto3.Session()
    if not session.region_name:
        raise SystemExit("No region is set: AWS_REGION=eu-north-1, or `aws configure`.")
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = session.client(service)
        return made[service]

    return client


def _preflight(deployment: Deployment) -> int:
    found = findings(deployment)
    for one in found:
        print(one)
    stops = sum(one.level is Level.STOPS for one in found)
    print(f"{deployment.stack}: {f'{stops} to mend before deploying' if stops else 'nothing stands in the way'}.")
    return 1 if stops else 0


def _restore(deployment: Deployment, keep: str) -> int:
    try:
        taken = restore(deployment.client, deployment.stack, deployment.parameters, pairs(keep))
    except CannotRestore as error:
        print(error, file=sys.stderr)
        return 1
    for one in taken:
        print(f"{one.logical}: {one.id}")
    if lost := missing(taken):
        print(f"Nobody left {', '.join(lost)}; the deployment makes them anew.")
    print("Taken up. Now deploy: make deploy, with the same ENV and parameters.")
    return 0


def _smoke(deployment: Deployment) -> int:
    api = address(deployment.client, deployment.stack)
    with httpx.Client() as http:
        wrong = list(smoke(api, http))
    print("\n".join(wrong) or f"{api} answers as it should.")
    return 1 if wrong else 0


def main(arguments: Sequence[str] | None = None, client: Clients | None = None) -> int:
    """Run one of the three; gives back the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["preflight", "restore", "smoke"])
    parser.add_argument("--env", default="dev", help="the part of samconfig.toml")
    parser.add_argument("--parameters", default="", help="Name=value …, as for the deployment")
    parser.add_argument("--keep", default="", help="restore: Logical=id …, where there are several")
    given = parser.parse_args(arguments)
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())[given.env]["deploy"]["parameters"]
    parameters = pairs(settings["parameter_overrides"]) | pairs(given.parameters)
    stack = os.environ.get("STACK_NAME") or settings["stack_name"]
    deployment = Deployment(stack, parameters, client or clients())
    try:
        if given.what == "smoke":
            return _smoke(deployment)
        return _preflight(deployment) if given.what == "preflight" else _restore(deployment, given.keep)
    except (ClientError, BotoCoreError) as error:
        print(f"AWS refused: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
