"""Credentials sealed under their client's key, each in an item of its own.

The table has no point-in-time recovery, on purpose: what is deleted is in no copy. Who loses the table has what who
loses a secret has, a password to enter again.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import override

from erphub.platform import problems
from erphub.platform.aws import transactions
from erphub.platform.aws.credentials.client_keys import ClientKeys
from erphub.platform.aws.credentials.sealing import NotOpened, Place, new_version, seal, unseal
from erphub.platform.aws.due import sortable
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, client_partition, make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.clock import Clock
from erphub.platform.errors import SecretGone
from erphub.platform.secrets import StoredSecrets
from erphub.platform.writes import Key

KIND = "CREDENTIALS"
LISTED_AS = "listed_as"
"""The attribute by which the index `kind` lists items, without what is in them, in order of `written_at`."""


class Kind(StrEnum):
    """What an item is."""

    CREDENTIALS = "CREDENTIALS"
    PENDING = "PENDING"
    """A copy that is not in use yet: whoever is moving it has not finished."""
    CLIENT_KEY = "CLIENT_KEY"
    MOVING = "MOVING"
    """A note that credentials are being copied to the other store."""


@dataclass(frozen=True)
class Opened:
    """Credentials as one write left them."""

    fields: dict[str, str]
    version: str
    key_id: str


def credentials_key(name: str) -> Key:
    """The key of the credentials `<client>/<connection>` or, of a draft, `<client>/<connection>/<edit>`."""
    client_id, _, rest = name.partition("/")
    return make_key(client_partition(client_id), KIND, rest)


def client_key_key(client_id: str) -> Key:
    """The key of the item that says which of its keys a client seals with."""
    return make_key(client_partition(client_id), Kind.CLIENT_KEY)


def name_of(item: Item) -> str:
    """The name of the credentials in an item."""
    return f"{item['pk'].partition('#')[2]}/{item['sk'].partition('#')[2]}"


class SealedCredentials(StoredSecrets):
    """The credentials of this deployment's clients, by name."""

    def __init__(self, table: Table, keys: ClientKeys, clock: Clock) -> None:
        self.table = table
        self.keys = keys
        self._clock = clock

    @override
    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        transactions.make_waiting_writes()
        self.table.put(self.sealed(name, fields))

    @override
    def get(self, name: str) -> dict[str, str]:
        item = self.table.get(credentials_key(name))
        if item is None or item[LISTED_AS] == Kind.PENDING:
            raise problems.SECRET_GONE()
        return self.open(item).fields

    @override
    def delete(self, name: str) -> None:
        transactions.make_waiting_writes()
        self.table.delete(credentials_key(name))

    @override
    def names(self, begin: str) -> Sequence[str]:
        key = credentials_key(begin)
        return [name_of(item) for item in self.table.read_all(key["pk"], key["sk"])]

    @override
    def stored_before(self, moment: datetime) -> Iterator[str]:
        for kind in (Kind.CREDENTIALS, Kind.PENDING):
            yield from self.listed(kind, moment)

    def listed(self, kind: Kind, moment: datetime | None = None) -> Iterator[str]:
        """The names in items of a kind, written until a moment; the list lags behind."""
        until = ("written_at", sortable(moment)) if moment else None
        return (name_of(item) for item in self.table.by_index("kind", LISTED_AS, kind, at_most=until))

    def open(self, item: Item) -> Opened:
        """What is sealed in an item. Raises SecretGone, NotFound (`secret_unreadable`)."""
        name = name_of(item)
        client_id, _, rest = name.partition("/")
        place = Place(client_id, rest, tuple(item["fields"]), item["version"], item["key_id"])
        try:
            key = self.keys.read(client_id, place.key_id)
        except SecretGone:
            # Sealed anew with the client's next key since it was read, and the old key dropped?
            newer = self.table.get(credentials_key(name))
            if newer is None or newer["key_id"] == place.key_id:
                raise
            return self.open(newer)
        try:
            return Opened(unseal(key, item["sealed"], place), place.version, place.key_id)
        except NotOpened as error:
            raise problems.SECRET_UNREADABLE() from error

    def sealed(self, name: str, fields: Mapping[str, str]) -> Item:
        """An item with the fields sealed in it, under the key that the client seals with now."""
        client_id, _, rest = name.partition("/")
        key_id = self.current_key(client_id)
        place = Place(client_id, rest, tuple(sorted(fields)), new_version(), key_id)
        return {
            **credentials_key(name),
            "key_id": key_id,
            "version": place.version,
            "fields": list(place.fields),
            "sealed": seal(self.keys.make(client_id, key_id), fields, place),
            "written_at": sortable(self._clock()),
            LISTED_AS: Kind.CREDENTIALS,
        }

    def current_key(self, client_id: str) -> str:
        """The id of the key that the client seals with; its first one is decided here, by whoever comes first."""
        key = client_key_key(client_id)
        item = self.table.get(key)
        if item is None:
            first = secrets.token_hex(8)
            with suppress(VersionConflict):  # another one was first
                now = sortable(self._clock())
                new: Item = {**key, "key_id": first, "sealing_since": now, "written_at": now}
                self.table.put_new(new | {LISTED_AS: Kind.CLIENT_KEY})
            item = self.table.get(key)
        if item is None:
            raise problems.SECRET_GONE()
        return item["key_id"]
