"""A client's key replaced by another, and destroyed: what was sealed with it is sealed anew, then it goes.

From the moment the next key is named, everything that is written is sealed with it. The old one is dropped a quarter of
an hour later at the earliest: whoever had begun to write with it has ended by then. Everything here can be done twice,
by two at once, and again after dying anywhere.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from erphub.platform.aws.credentials.sealed import KIND, LISTED_AS, Kind, SealedCredentials, client_key_key, name_of
from erphub.platform.aws.due import sortable
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import key_of
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.clock import Clock

OVERLAP = timedelta(minutes=15)
"""For how long both keys are there at least; no call to the table takes as long."""
_UNCHANGED = "sealing_since = :since"


@dataclass(frozen=True)
class Rotation:
    """Keys of clients, replaced and destroyed."""

    sealed: SealedCredentials
    clock: Clock

    def clients(self) -> list[str]:
        """The clients that have a key."""
        return sorted(name.partition("/")[0] for name in self.sealed.listed(Kind.CLIENT_KEY))

    def begin(self, client_id: str) -> datetime | None:
        """Seal with a new key from now on; from when on the old one can be dropped. None when there is no key yet.

        One that goes on is not begun again.
        """
        key, item = client_key_key(client_id), self._item(client_id)
        if item is None:
            return None
        if not item.get("old_keys"):
            with suppress(VersionConflict):  # another one began
                self.sealed.table.update(
                    key,
                    "SET key_id = :next, old_keys = :old, sealing_since = :now",
                    condition=_UNCHANGED,
                    next=secrets.token_hex(8),
                    old=[item["key_id"]],
                    now=sortable(self.clock()),
                    since=item["sealing_since"],
                )
            item = self._item(client_id) or item
        self.sealed.keys.make(client_id, item["key_id"])
        return datetime.fromisoformat(item["sealing_since"]) + OVERLAP

    def finish(self, client_id: str) -> bool:
        """Seal anew what has an old key, then destroy that; whether no old key is left. Raises ServiceBusy."""
        item = self._item(client_id)
        if item is None or not item.get("old_keys"):
            return True
        if self.clock() < datetime.fromisoformat(item["sealing_since"]) + OVERLAP:
            return False
        old: list[str] = item["old_keys"]
        for one in self._sealed_with(client_id, old):
            self._seal_anew(one)
        if self._sealed_with(client_id, old):
            return False
        for key_id in old:
            self.sealed.keys.destroy(client_id, key_id)
        with suppress(VersionConflict):  # another one was here first, and perhaps began the next rotation
            key, since = client_key_key(client_id), item["sealing_since"]
            self.sealed.table.update(key, "REMOVE old_keys", condition=_UNCHANGED, since=since)
        return True

    def destroy(self, client_id: str) -> None:
        """Destroy the client's keys without a way back, then what was sealed with them: for a client that is gone."""
        item = self._item(client_id) or {}
        known = [item["key_id"], *item.get("old_keys", [])] if item else []
        # A list of secrets lags behind; those that are known anyway are not left to it.
        for key_id in dict.fromkeys([*known, *self.sealed.keys.of_client(client_id)]):
            self.sealed.keys.destroy(client_id, key_id)
        partition = client_key_key(client_id)["pk"]
        self.sealed.table.delete_many([key_of(one) for one in self.sealed.table.read_all(partition)])

    def _item(self, client_id: str) -> Item | None:
        return self.sealed.table.get(client_key_key(client_id))

    def _sealed_with(self, client_id: str, keys: list[str]) -> list[Item]:
        partition = client_key_key(client_id)["pk"]
        return [item for item in self.sealed.table.read_all(partition, f"{KIND}#") if item["key_id"] in keys]

    def _seal_anew(self, item: Item) -> None:
        fields = self.sealed.open(item).fields
        anew = self.sealed.sealed(name_of(item), fields) | {name: item[name] for name in ("written_at", LISTED_AS)}
        with suppress(VersionConflict):  # written or deleted since it was read
            self.sealed.table.put(anew, condition="version = :version", version=item["version"])
