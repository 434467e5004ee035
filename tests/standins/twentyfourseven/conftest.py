"""What the tests of the stand-in ERPs share: a fresh one, clients of it, and the published contracts watching."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.erps.twentyfourseven import App, Transport, seed
from tests.standins.twentyfourseven.contract import Contract, available
from tests.standins.twentyfourseven.soap_client import Soap

REST = "https://rest.api.24sevenoffice.com/v1"
TOKEN = "https://login.24sevenoffice.com/oauth/token"


@pytest.fixture
def app() -> App:
    return App.seeded()


@pytest.fixture
def watched(app: App) -> Iterator[Any]:
    """The app; where the published contracts are at hand, every call and answer is held against them."""
    yield from _watched(app, calls=True)


@pytest.fixture
def forgiving(app: App) -> Iterator[Any]:
    """The app; only its answers are held against the contracts, for calls that are wrong on purpose."""
    yield from _watched(app, calls=False)


def _watched(app: App, *, calls: bool) -> Iterator[Any]:
    if not available():
        yield app
        return
    contract = Contract(app, calls=calls)
    yield contract
    assert contract.violations == []


@pytest.fixture
def http(watched: Any) -> Iterator[httpx.Client]:
    with httpx.Client(transport=Transport(watched)) as client:
        yield client


def sign_in(client: httpx.Client, organisation: int = seed.SHOP) -> httpx.Response:
    """Ask for a token as the hub does."""
    return client.post(TOKEN, data={
        "grant_type": "client_credentials", "client_id": seed.CLIENT_ID, "client_secret": seed.CLIENT_SECRET,
        "login_organization": str(organisation), "audience": "https://api.24sevenoffice.com",
    })  # fmt: skip


@pytest.fixture
def rest(watched: Any) -> Iterator[httpx.Client]:
    """A client of the shop's REST API, signed in."""
    yield from _rest(watched)


@pytest.fixture
def careless_rest(forgiving: Any) -> Iterator[httpx.Client]:
    """A client that may ask wrongly."""
    yield from _rest(forgiving)


@pytest.fixture
def soap(watched: Any) -> Iterator[Soap]:
    """A client of SOAP, signed in to the shop."""
    yield from _soap(watched)


@pytest.fixture
def careless_soap(forgiving: Any) -> Iterator[Soap]:
    """A client that may ask wrongly."""
    yield from _soap(forgiving)


def _rest(app: Any) -> Iterator[httpx.Client]:
    with httpx.Client(transport=Transport(app), base_url=REST) as client:
        client.headers["Authorization"] = f"Bearer {sign_in(client).json()['access_token']}"
        yield client


def _soap(app: Any) -> Iterator[Soap]:
    with httpx.Client(transport=Transport(app)) as client:
        made = Soap(client)
        assert made.login(seed.USER, seed.PASSWORD)
        yield made
