"""Both stores over one AWS, as the hub makes them; and somebody who interferes at any of their requests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from erphub.platform.aws import clients
from erphub.platform.aws.credentials.client_keys import ClientKeys
from erphub.platform.aws.credentials.moving import Move
from erphub.platform.aws.credentials.rotation import Rotation
from erphub.platform.aws.credentials.sealed import SealedCredentials
from erphub.platform.aws.items import decode
from erphub.platform.resources import PlatformResources
from erphub.platform.secrets import StoredSecrets
from erphub.platform.settings import CredentialStore, read_settings
from tests.support.aws import CREDENTIALS, everything_in, in_memory, make_table
from tests.support.service import Service


class Killed(BaseException):
    """The process died."""


@dataclass
class Redacted:
    """Remembers what was hidden."""

    values: list[str] = field(default_factory=list)

    def redact(self, values: Any) -> None:
        self.values += values

    def clean(self, value: Any) -> Any:
        return value


@dataclass
class Vault:
    """The stores of one deployment."""

    chosen: CredentialStore = CredentialStore.SEALED_PER_CLIENT
    now: datetime = datetime(2026, 11, 28, 8, tzinfo=UTC)
    redacted: Redacted = field(default_factory=Redacted)
    open_names: set[str] = field(default_factory=set)

    def clock(self) -> datetime:
        return self.now

    def later(self, **time: float) -> None:
        self.now += timedelta(**time)

    def platform(self, chosen: CredentialStore | None = None) -> PlatformResources:
        """A process of its own, which knows no key yet."""
        platform = PlatformResources(
            read_settings(
                {
                    "SECRET_PREFIX": "hub/connections/",
                    "SEALED_TABLE": "credentials",
                    "CHOSEN_STORE": chosen or self.chosen,
                }
            )
        )
        platform.clock = self.clock
        return platform

    def store(self, chosen: CredentialStore | None = None) -> StoredSecrets:
        return self.platform(chosen).stored_secrets

    @property
    def sealed(self) -> SealedCredentials:
        table = self.platform().sealed_credentials.table
        return SealedCredentials(table, ClientKeys("hub/client-keys/", self.clock, self.redacted), self.clock)

    def may_change(self, name: str) -> bool:
        return name in self.open_names

    def move(self, chosen: CredentialStore | None = None) -> Move:
        """A run of `make move-credentials`. Its clock is the wall's, as that of the lists that it reads."""
        platform = self.platform(chosen)
        return Move(
            platform.sealed_credentials,
            platform.secret_per_connection,
            platform.settings.credential_store,
            self,
            lambda: max(self.now, datetime.now(UTC)) + timedelta(days=1),
        )

    @property
    def rotation(self) -> Rotation:
        return Rotation(self.sealed, self.clock)

    @property
    def secrets(self) -> dict[str, str]:
        """What lies in Secrets Manager, by name."""
        manager: Any = clients.client("secretsmanager")
        return {name: value for name, (value, _) in manager.kept.items()}

    @property
    def keys(self) -> list[str]:
        return sorted(name for name in self.secrets if name.startswith("hub/client-keys/"))

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for item in self.everything if item["sk"].startswith("CREDENTIALS#")]

    @property
    def everything(self) -> list[dict[str, Any]]:
        """Every item of the table."""
        return [decode(item) for item in everything_in(self.sealed.table)]


@pytest.fixture
def vault() -> Iterator[Vault]:
    with in_memory():
        make_table(CREDENTIALS, "credentials")
        yield Vault()


@dataclass
class Interference:
    """Something that happens once, before or after the nth request to AWS of those that are watched."""

    patch: pytest.MonkeyPatch

    def at(self, number: int, happens: Callable[[], None], *, before: bool) -> "Counted":
        """From now on: it happens at this request (from 0)."""
        counted, original, inside = Counted(), Service.answer, [False]
        numbers = count()

        def answer(service: Service, wire_name: str, work: Callable[[], Any]) -> Any:
            if inside[0]:
                return original(service, wire_name, work)
            mine = next(numbers) == number
            if mine and before:
                self._do(happens, inside, counted)
            try:
                return original(service, wire_name, work)
            finally:  # a refusal is an answer, too
                if mine and not before:
                    self._do(happens, inside, counted)

        self.patch.setattr(Service, "answer", answer)
        return counted

    @staticmethod
    def _do(happens: Callable[[], None], inside: list[bool], counted: "Counted") -> None:
        counted.happened, inside[0] = True, True
        try:
            happens()
        finally:
            inside[0] = False

    def end(self) -> None:
        self.patch.undo()


@dataclass
class Counted:
    """Whether it came to it."""

    happened: bool = False


@pytest.fixture
def interference() -> Iterator[Interference]:
    with pytest.MonkeyPatch.context() as patch:
        yield Interference(patch)


def dies() -> None:
    raise Killed
