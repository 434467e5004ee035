"""Clients for TypeScript, made of the description by published generators: nothing dropped, no warning, they work."""

import re
from collections.abc import Iterator

import pytest

from tests.support import described
from tests.support.hub import Hub
from tests.support.integration import integration
from tests.support.receiver import HOST
from tests.support.sockets import served
from tests.support.typescript import Workspace


@pytest.fixture
@integration
def variables(whole: Hub, connection: str) -> Iterator[dict[str, str]]:
    """What a program needs to know of the hub, which is served meanwhile."""
    with served(whole) as address:
        yield {
            "API": address,
            "TOKEN": "a token",
            "CLIENT": whole.client,
            "CUSTOMER": whole.customer,
            "CONNECTION": connection,
            "RECEIVER": HOST,
        }


def operations() -> list[str]:
    return sorted(operation["operationId"] for operation in described.operations().values())


def camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def test_hey_api_makes_a_function_of_every_operation_and_a_round_trip_with_it_passes(
    typescript: Workspace, variables: dict[str, str]
) -> None:
    run = typescript.program("@hey-api/openapi-ts", "bin/run.js")
    said = typescript.run(run, "-i", described.FILE, "-o", "hey_api", "-c", "@hey-api/client-fetch", "--no-log-file")
    assert not re.search(r"warn|error|⚠|✗", said, re.IGNORECASE), said
    made = re.findall(r"^export const (\w+) =", (typescript.folder / "hey_api/sdk.gen.ts").read_text(), re.MULTILINE)
    assert sorted(made) == sorted(camel_case(name) for name in operations())
    typescript.compile("hey_api.ts", "hey_api/index.ts", "hey_api/sdk.gen.ts")
    assert typescript.run("compiled/hey_api.js", **variables) == "round trip done\n"


def test_openapi_typescript_has_every_operation_and_a_round_trip_with_openapi_fetch_passes(
    typescript: Workspace, variables: dict[str, str]
) -> None:
    run = typescript.program("openapi-typescript", "bin/cli.js")
    # Without the option, fields that have a default would have to be sent.
    options = ("--default-non-nullable=false", "-o", "openapi_fetch/schema.ts")
    said = typescript.run(run, described.FILE, *options)
    assert not re.search(r"warn|error|⚠|✘", said, re.IGNORECASE), said
    text = (typescript.folder / "openapi_fetch/schema.ts").read_text()
    made = re.findall(r"^    (\w+): \{$", text.partition("export interface operations {")[2], re.MULTILINE)
    assert sorted(made) == operations()
    typescript.compile("openapi_fetch.ts", "openapi_fetch/schema.ts")
    assert typescript.run("compiled/openapi_fetch.js", **variables) == "round trip done\n"
