"""One deployed hub per test process: started in a folder of its own, seeded, and ended with the tests.

E2E_STACK_DIR=<folder> uses (and keeps) the stack of that folder, which is faster while writing a test.
"""

import base64
import json
import os
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.emulator import Aws
from local.stack import Stack
from tests.e2e.waiting import PATIENCE, until

ORIGINS = ("https://till.example.com", "http://localhost:3000")
"""Whose pages may call the hub of the tests."""


class Hub:
    """A running hub as a test sees it: callers over HTTP, and what an operator can look into."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.described: dict[str, Any] = stack.describe()
        self.aws: Aws = stack.aws()
        self.outputs: dict[str, str] = self.described["outputs"]
        self._http = httpx.Client(base_url=self.described["api_url"], timeout=PATIENCE)

    def close(self) -> None:
        self._http.close()

    def user(self, role: str) -> dict[str, Any]:
        """The seeded user of stack.json by the word before the @ of the name: administrator, accountant, …"""
        return next(user for user in self.described["users"] if user["name"].split("@")[0] == role)

    def call(
        self, method: str, path: str, *, user: str | None = "administrator", token: str | None = None, **more: Any
    ) -> httpx.Response:
        """One request as a seeded user (or with a token given, or with none: user=None)."""
        headers: dict[str, str] = dict(more.pop("headers", {}))
        if token is None and user is not None:
            token = self.user(user)["id_token"]
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self._http.request(method, path, headers=headers, **more)

    def token_signed_at(self, role: str, issued: datetime) -> str:
        """A user's token as the user pool would have issued it at another time, with the pool's own key."""
        head, body, _ = self.user(role)["id_token"].split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        moved = int(issued.timestamp()) - claims["iat"]
        claims |= {name: claims[name] + moved for name in ("iat", "exp", "auth_time")}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        pem = self.stack.directory / "state/cognito-pool-keys" / f"{self.outputs['UserPoolId']}-id.pem"
        key = serialization.load_pem_private_key(pem.read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        signature = key.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    def items(self) -> list[dict[str, Any]]:
        """Every item of both tables, sorted, without what changes by itself."""
        scan = self.aws.client("dynamodb").get_paginator("scan")
        tables = (self.outputs["TableName"], self.outputs["ExportLogTable"])
        found = [dict(item) for name in tables for page in scan.paginate(TableName=name) for item in page["Items"]]
        found = [item for item in found if not item["pk"]["S"].startswith("LIMIT#")]  # every request is counted
        return sorted(found, key=lambda item: json.dumps(item, sort_keys=True, default=str))

    def objects(self) -> dict[str, bytes]:
        """Every current object of the lake bucket."""
        s3, bucket = self.aws.client("s3"), self.outputs["LakeBucket"]
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [one.get("Key", "") for page in pages for one in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def histories(self) -> list[dict[str, Any]]:
        """Every event of every execution of the state machines, with its input and output."""
        client = self.aws.client("stepfunctions")
        events: list[dict[str, Any]] = []
        for machine in ("ConnectMachineArn", "ImportMachineArn", "TransferMachineArn"):
            for page in client.get_paginator("list_executions").paginate(stateMachineArn=self.outputs[machine]):
                for execution in page["executions"]:
                    history = client.get_paginator("get_execution_history")
                    pages = history.paginate(executionArn=execution["executionArn"], includeExecutionData=True)
                    events += [dict(event) for found in pages for event in found["events"]]
        return events

    def logs(self, function: str | None = None) -> list[str]:
        """Every line the functions logged so far."""
        return list(self.stack.logs(function, minutes=24 * 60))

    def emulator_log(self) -> str:
        """What the local AWS wrote about itself."""
        return (self.stack.directory / "log" / "emulator.log").read_text(errors="replace")


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """`eventually(ask)`: asks until the answer is not None."""
    return until


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hub]:
    """The deployed hub of this test process."""
    kept = os.environ.get("E2E_STACK_DIR")
    stack = Stack(Path(kept) if kept else tmp_path_factory.mktemp("hub"))
    try:
        stack.up({"AllowedOrigins": ",".join(ORIGINS)}, content=("--demo", "20000"))
        running = Hub(stack)
        yield running
        running.close()
    finally:
        if not kept:
            stack.destroy()
