"""Two hundred people choose the same company in the same moment, over a database that takes them all at once."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any, cast

import pytest

from erphub.companies.dynamodb import CompanyTable
from erphub.companies.service import CompanyRegistry
from erphub.connections.models import Company, Connection
from erphub.platform.aws import clients
from erphub.platform.aws.table import Table
from erphub.platform.errors import Conflict
from erphub.platform.ids import new_id
from local import emulator, processes
from tests.support.aws import make_table
from tests.support.integration import integration

CUSTOMER, CLIENT = new_id(), new_id()
MANY = 200


@pytest.fixture(scope="module")
@integration
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """A table of an emulator that runs for these tests alone."""
    directory, port = tmp_path_factory.mktemp("aws"), processes.free_port()
    endpoint, key = f"http://127.0.0.1:{port}", f"AKIA{secrets.token_hex(8).upper()}"
    started = emulator.start(directory, port, key)
    try:
        emulator.wait_until_ready(directory, port, started)
        known = emulator.deployer(endpoint, key, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ENDPOINT_URL", endpoint)
            patch.setenv("AWS_ACCESS_KEY_ID", known.access_key)
            patch.setenv("AWS_SECRET_ACCESS_KEY", known.secret_key)
            _forget_clients()
            yield make_table({})
    finally:
        _forget_clients()
        processes.stop(started)


def _forget_clients() -> None:
    clients.client.cache_clear()
    clients._session.cache_clear()


@pytest.fixture
def identities(table: Table) -> CompanyRegistry:
    """Companies of one customer, whoever asks."""
    nobody = cast(Any, None)
    return CompanyRegistry(CompanyTable(table), nobody, nobody, nobody, nobody, nobody, nobody)


def connection(number: int) -> Connection:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    return Connection(
        id=new_id(),
        client_id=CLIENT,
        erp_system="visma-business",
        name=f"Connection {number}",
        owner="somebody",
        is_shared=False,
        settings={},
        includes_new_companies=False,
        created_at=now,
        updated_at=now,
    )


def at_once(identities: CompanyRegistry, choices: list[list[Company]]) -> list[str]:
    """What each of the choices came to, all of them made in the same moment."""
    start = Barrier(len(choices))

    def choose(number: int) -> str:
        start.wait()
        try:
            identities.claim(CUSTOMER, connection(number), choices[number], allow_duplicates=False)
        except Conflict as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(len(choices)) as pool:
        return sorted(pool.map(choose, range(len(choices))))


def company(key: str) -> Company:
    return Company(key=key, name=key, attributes={"installation": "DB01/broker"})


def test_of_two_hundred_who_choose_a_company_at_the_same_moment_one_gets_it(identities: CompanyRegistry):
    before = identities.store.licences(CUSTOMER).used
    outcomes = at_once(identities, [[company("F0001")]] * MANY)
    assert outcomes == ["company_connected"] * (MANY - 1) + ["taken"]
    assert identities.store.licences(CUSTOMER).used == before + 1


def test_the_last_licence_is_given_once(identities: CompanyRegistry):
    used = identities.store.licences(CUSTOMER).used
    identities.store.set_allowed(CUSTOMER, used + 3)
    outcomes = at_once(identities, [[company(f"G{number:04}")] for number in range(20)])
    assert outcomes == ["licences_used_up"] * 17 + ["taken"] * 3
    assert identities.store.licences(CUSTOMER).used == used + 3
