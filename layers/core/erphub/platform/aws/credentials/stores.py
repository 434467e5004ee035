"""Both stores as one: credentials are written to the one that the deployment chose and found in either.

So a deployment that changes its choice goes on at once, and what is still in the other store is moved by hand when it
suits (`moving`). What webhooks are signed with stays a secret each: who delivers must open no password.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import override

from erphub.platform.errors import SecretGone
from erphub.platform.secrets import StoredSecrets


def signs(name: str) -> bool:
    """Whether a secret is what a webhook is signed with."""
    return name.partition("/")[2].startswith("webhook-")


class BothStores(StoredSecrets):
    """The chosen store, and the other one with what was kept before it was chosen."""

    def __init__(self, chosen: StoredSecrets, other: StoredSecrets, signing: StoredSecrets) -> None:
        self._chosen = chosen
        self._other = other
        self._signing = signing

    @override
    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        if signs(name):
            self._signing.put(name, fields, tenant)
            return
        self._chosen.put(name, fields, tenant)
        self._other.delete(name)  # an earlier value, which a change of the choice would bring back

    @override
    def get(self, name: str) -> dict[str, str]:
        if signs(name):
            return self._signing.get(name)
        # The chosen one again at the end: it may have been moved in between.
        for store in (self._chosen, self._other):
            with suppress(SecretGone):
                return store.get(name)
        return self._chosen.get(name)

    @override
    def delete(self, name: str) -> None:
        if signs(name):
            self._signing.delete(name)
            return
        # The other one first: as long as the chosen one has it, nothing older is found.
        self._other.delete(name)
        self._chosen.delete(name)

    @override
    def names(self, begin: str) -> Sequence[str]:
        return list(dict.fromkeys([*self._chosen.names(begin), *self._other.names(begin)]))

    @override
    def stored_before(self, moment: datetime) -> Iterator[str]:
        yield from self._chosen.stored_before(moment)
        yield from self._other.stored_before(moment)
