"""Tokens and rate limits that a connection's functions share: the same tests within a process and over AWS."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Lock, Thread
from typing import Any

import pytest

from erphub.erp.dynamodb import RateLimitTable, TokenTable
from erphub.erp.rate_limits import RateLimiter
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore, Tokens, digest, utc_now
from erphub.erp.tokens import Token, TokenStore
from erphub.platform.aws import clients
from erphub.platform.aws.table import Table
from erphub.platform.errors import CredentialsRefused, Unavailable
from tests.support.aws import make_table, on_moto
from tests.support.integration import integration

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class OneAtATime(Table):
    """moto checks a condition and writes in two steps; DynamoDB does both in one."""

    _lock = Lock()

    def update(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        with self._lock:
            return super().update(*arguments, **options)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
@integration
def aws() -> Iterator[tuple[Table, str]]:
    """A table and a key."""
    with on_moto():
        make_table({}, "t")
        yield OneAtATime("t"), clients.client("kms").create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture(params=["process", "moto"])
def store(request: pytest.FixtureRequest) -> TokenStore:
    if request.param == "process":
        return InProcessTokenStore()
    table, key = request.getfixturevalue("aws")
    return TokenTable(table, key, "C1", "K1")


def fetched(value: str = "secret-token", minutes: int = 60) -> Token:
    return Token(value, NOON + minutes * MINUTE, digest("password"))


def test_a_token_that_is_kept_is_read_back(store: TokenStore):
    assert store.read("rest") is None
    assert store.acquire_lease("rest", "me", NOON, NOON + MINUTE)
    assert store.read("rest") is None
    assert store.save("rest", "me", fetched())
    assert store.read("rest") == fetched()
    assert store.read("soap") is None


def test_only_one_holds_the_lease_until_it_ends(store: TokenStore):
    assert store.acquire_lease("rest", "me", NOON, NOON + MINUTE)
    assert store.acquire_lease("rest", "me", NOON, NOON + MINUTE)
    assert not store.acquire_lease("rest", "you", NOON, NOON + MINUTE)
    store.release_lease("rest", "you")
    assert not store.acquire_lease("rest", "you", NOON, NOON + MINUTE)
    assert store.acquire_lease("rest", "you", NOON + MINUTE, NOON + 2 * MINUTE)


def test_who_comes_back_after_the_lease_has_passed_on_changes_nothing(store: TokenStore):
    store.acquire_lease("rest", "slow", NOON, NOON + MINUTE)
    store.acquire_lease("rest", "quick", NOON + MINUTE, NOON + 2 * MINUTE)
    assert store.save("rest", "quick", fetched("new"))
    assert not store.save("rest", "slow", fetched("old"))
    store.release_lease("rest", "slow")
    kept = store.read("rest")
    assert kept is not None
    assert kept.value == "new"


def test_a_released_lease_can_be_taken_at_once(store: TokenStore):
    store.acquire_lease("rest", "me", NOON, NOON + MINUTE)
    store.release_lease("rest", "me")
    assert store.acquire_lease("rest", "you", NOON, NOON + MINUTE)


def test_nothing_in_the_table_shows_the_token(aws: tuple[Table, str]):
    table, key = aws
    store = TokenTable(table, key, "C1", "K1")
    store.acquire_lease("rest", "me", NOON, NOON + MINUTE)
    store.save("rest", "me", fetched("CANARY-" + "x" * 9000))
    kept = clients.client("dynamodb").scan(TableName="t")["Items"]
    assert b"CANARY" not in repr(kept).encode()
    assert len(kept[0]["pieces"]["L"]) == 3  # pyright: ignore[reportTypedDictNotRequiredAccess]
    found = store.read("rest")
    assert found is not None
    assert found.value == "CANARY-" + "x" * 9000


def test_a_token_copied_to_another_connection_opens_for_nobody(aws: tuple[Table, str]):
    table, key = aws
    mine, theirs = TokenTable(table, key, "C1", "K1"), TokenTable(table, key, "C2", "K1")
    mine.acquire_lease("rest", "me", NOON, NOON + MINUTE)
    mine.save("rest", "me", fetched())
    item = table.get({"pk": "CLIENT#C1", "sk": "TOKEN#K1#rest"})
    assert item is not None
    table.put(item | {"pk": "CLIENT#C2"})
    assert theirs.read("rest") is None
    assert mine.read("rest") == fetched()


# --- staying signed in -----------------------------------------------------------------------------------------------


class TokenEndpoint:
    """Where tokens are fetched: counts how many were, and can be slow or lost."""

    def __init__(self, seconds: float = 0) -> None:
        self.calls = 0
        self.seconds = seconds
        self._lock = Lock()

    def __call__(self) -> Token:
        with self._lock:
            self.calls += 1
            number = self.calls
        time.sleep(self.seconds)
        return Token(f"token {number}", utc_now() + timedelta(hours=1))


@pytest.mark.parametrize("workers", [2, 16])
def test_many_workers_that_find_no_token_fetch_exactly_one(store: TokenStore, workers: int):
    endpoint, begin = TokenEndpoint(0.05), Barrier(workers)
    got: list[str] = []

    def work() -> None:
        tokens = Tokens(store, utc_now, pause=lambda _: time.sleep(0.01))
        begin.wait()
        got.append(tokens.current("rest", endpoint))

    threads = [Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["token 1"] * workers
    assert endpoint.calls == 1


def test_many_workers_that_are_refused_at_once_fetch_exactly_one_more(store: TokenStore):
    endpoint, workers = TokenEndpoint(0.02), 8
    assert Tokens(store, utc_now).current("rest", endpoint) == "token 1"
    begin, got = Barrier(workers), list[str]()

    def work() -> None:
        tokens = Tokens(store, utc_now, pause=lambda _: time.sleep(0.01))
        begin.wait()
        got.append(tokens.current("rest", endpoint, not_this="token 1"))

    threads = [Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == ["token 2"] * workers


def test_who_dies_while_fetching_is_followed_when_the_lease_ends(store: TokenStore):
    clock, endpoint = Clock(), TokenEndpoint()
    store.acquire_lease("rest", "dead", clock(), clock() + timedelta(seconds=40))
    endpoint_of_clock = lambda: Token(endpoint().value, clock() + 60 * MINUTE)  # noqa: E731
    assert Tokens(store, clock, pause=clock.sleep).current("rest", endpoint_of_clock) == "token 1"
    assert clock() >= NOON + timedelta(seconds=40)


def test_who_never_gets_the_lease_gives_up_in_words(store: TokenStore):
    clock = Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        store.acquire_lease("rest", "greedy", clock(), clock() + MINUTE)

    store.acquire_lease("rest", "greedy", clock(), clock() + MINUTE)
    with pytest.raises(Unavailable) as caught:
        Tokens(store, clock, pause=sleep).current("rest", TokenEndpoint())
    assert caught.value.code == "sign_in_busy"


def test_a_failed_fetch_lets_the_next_one_try_at_once(store: TokenStore):
    def refuse() -> Token:
        raise CredentialsRefused("no")

    with pytest.raises(CredentialsRefused):
        Tokens(store, utc_now).current("rest", refuse)
    assert Tokens(store, utc_now).current("rest", TokenEndpoint()) == "token 1"


def test_a_token_of_other_credentials_is_not_used(store: TokenStore):
    endpoint = TokenEndpoint()
    assert Tokens(store, utc_now, made_with=digest("old")).current("rest", endpoint) == "token 1"
    assert Tokens(store, utc_now, made_with=digest("old")).current("rest", endpoint) == "token 1"
    assert Tokens(store, utc_now, made_with=digest("new")).current("rest", endpoint) == "token 2"


def test_asked_anew_it_is_fetched_though_there_is_one(store: TokenStore):
    endpoint = TokenEndpoint()
    tokens = Tokens(store, utc_now)
    tokens.current("rest", endpoint)
    assert tokens.current("rest", endpoint, anew=True) == "token 2"
    assert Tokens(store, utc_now).current("rest", endpoint) == "token 2"


def test_every_token_is_hidden_from_the_log(store: TokenStore):
    hidden: list[str] = []
    Tokens(store, utc_now, redact=hidden.append).current("rest", TokenEndpoint())
    Tokens(store, utc_now, redact=hidden.append).current("rest", TokenEndpoint())
    assert hidden == ["token 1", "token 1"]


# --- the limiter ------------------------------------------------------------------------------------------------------

type Sharing = Callable[[Clock], RateLimiter]


@pytest.fixture(params=["process", "moto"])
def sharing(request: pytest.FixtureRequest) -> Sharing:
    """Makes what one process has of the limiter that all share."""
    if request.param == "process":
        kept: list[RateLimiter] = []

        def one(clock: Clock) -> RateLimiter:
            kept.append(kept[0] if kept else InProcessRateLimiter(clock))
            return kept[0]

        return one
    table, _ = request.getfixturevalue("aws")
    return lambda clock: RateLimitTable(table, "C1", "K1", clock)


def made(limiter: RateLimiter, at_most: int, hourly: int) -> int:
    """How many calls the limiter allows, of so many wanted."""
    for number in range(at_most):
        try:
            limiter.acquire("soap", hourly)
        except Unavailable:
            return number
    return at_most


def test_the_hours_limit_is_reached_and_not_exceeded(sharing: Sharing):
    clock = Clock()
    assert made(sharing(clock), 100, 40) == 40


def test_all_who_share_it_stay_within_the_limit_together(sharing: Sharing):
    clock = Clock()
    limiters = [sharing(clock) for _ in range(3)]
    assert sum(made(limiter, 30, 50) for limiter in limiters) <= 50


def test_the_next_hour_begins_anew(sharing: Sharing):
    clock = Clock()
    limiter = sharing(clock)
    assert made(limiter, 20, 15) == 15
    with pytest.raises(Unavailable) as caught:
        limiter.acquire("soap", 15)
    assert caught.value.members["retry_after"] == 3600
    clock.now += timedelta(hours=1)
    assert made(limiter, 20, 15) == 15


def test_who_is_told_to_wait_tells_everybody(sharing: Sharing):
    clock = Clock()
    told, other = sharing(clock), sharing(clock)
    other.acquire("rest")
    told.block("rest", clock() + 5 * MINUTE)
    clock.now += timedelta(seconds=1)
    with pytest.raises(Unavailable) as caught:
        other.acquire("rest")
    assert caught.value.code == "erp_busy"
    assert caught.value.members["retry_at"] == "2026-03-14T12:05:00Z"
    assert "2026-03-14 12:05:00 UTC" in caught.value.detail
    other.acquire("soap", 10)
    clock.now += 5 * MINUTE
    other.acquire("rest")


def test_a_shorter_wait_does_not_end_a_longer_one(sharing: Sharing):
    clock = Clock()
    limiter = sharing(clock)
    limiter.block("rest", clock() + 10 * MINUTE)
    limiter.block("rest", clock() + MINUTE)
    clock.now += 5 * MINUTE
    with pytest.raises(Unavailable):
        sharing(clock).acquire("rest")


def test_counting_costs_a_write_for_a_dozen_calls(aws: tuple[Table, str]):
    table, _ = aws
    limiter, clock = RateLimitTable(table, "C1", "K1", Clock()), Clock()
    before = clients.calls["dynamodb.UpdateItem"]
    assert made(limiter, 120, 7200) == 120
    assert clients.calls["dynamodb.UpdateItem"] - before <= 12
    assert clock() == NOON
