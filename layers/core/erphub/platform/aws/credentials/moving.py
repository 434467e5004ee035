"""Credentials moved from one store to the other and back, one after the other, while the hub goes on.

The deployment writes to its chosen store and reads both; what is still in the other one is moved: read, written to the
chosen store, read there again and compared, then deleted. Wherever that dies, or two of them meet, the next one goes
on, and credentials that somebody deleted meanwhile are not brought back. No function does this: whoever runs the
deployment does it with rights of their own.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from erphub.platform import problems
from erphub.platform.aws.credentials.sealed import LISTED_AS, Kind, SealedCredentials, credentials_key
from erphub.platform.aws.credentials.stores import signs
from erphub.platform.aws.items import Item
from erphub.platform.aws.secrets import SecretsManager
from erphub.platform.aws.table import make_key
from erphub.platform.aws.table_writes import VersionConflict
from erphub.platform.clock import Clock
from erphub.platform.errors import SecretGone, ServiceBusy
from erphub.platform.settings import CredentialStore
from erphub.platform.writes import Key, Write

_ATTEMPTS = 3
_ALL = timedelta(minutes=1)
_IS_THERE = "version = :version"


class OpenAnswers(Protocol):
    """Which credentials a wizard may still replace."""

    def may_change(self, name: str) -> bool:
        """Whether an open wizard keeps its answers under this name."""
        ...


class Moved(StrEnum):
    """What became of one."""

    MOVED = "moved"
    OPEN = "left where it is: a wizard that goes on may still change it"
    GONE = "deleted by somebody meanwhile"
    FAILED = "failed"


class Report(Protocol):
    """Is told of each one."""

    def __call__(self, name: str, became: Moved, error: Exception | None = None, /) -> None:
        """What became of the credentials of this name."""
        ...


@dataclass(frozen=True)
class Move:
    """Moves credentials into the chosen store."""

    sealed: SealedCredentials
    manager: SecretsManager
    chosen: CredentialStore
    answers: OpenAnswers
    clock: Clock

    @property
    def _seals(self) -> bool:
        return self.chosen is CredentialStore.SEALED_PER_CLIENT

    def run(self, report: Report) -> bool:
        """Move what is in the other store; whether nothing is left there. One that fails keeps no other waiting."""
        is_done = True
        for name in self._waiting():
            try:
                became = self.move(name)
                report(name, became)
                is_done &= became is not Moved.OPEN
            except Exception as error:  # noqa: BLE001  reported, and the next run meets it again
                report(name, Moved.FAILED, error)
                is_done = False
        return is_done

    def move(self, name: str) -> Moved:
        """Move one. Raises NotFound (`secret_unreadable`), ServiceBusy, RuntimeError when what was written is not what
        was read."""
        if self.answers.may_change(name):
            return Moved.OPEN
        for _ in range(_ATTEMPTS):
            # Sealed anew, deleted or moved by another since it was looked at: then it is looked at again.
            with suppress(VersionConflict):
                try:
                    return self._seal(name) if self._seals else self._unseal(name)
                except SecretGone:
                    return self._forget(name)
        raise _busy()

    def _waiting(self) -> Iterable[str]:
        """Names in the other store, and those that an earlier run had in hand."""
        everything = self.clock() + _ALL
        if self._seals:
            found = [name for name in self.manager.stored_before(everything) if "/" in name and not signs(name)]
        else:
            found = list(self.sealed.stored_before(everything))
        begun = (name for kind in (Kind.MOVING, Kind.PENDING) for name in self.sealed.listed(kind))
        return dict.fromkeys([*begun, *found])

    # --- into the table: a copy counts only from when it is no longer pending, which deleting it prevents -------------

    def _seal(self, name: str) -> Moved:
        table, key = self.sealed.table, credentials_key(name)
        fields = self.manager.get(name)
        there = table.get(key)
        if there is not None and not _is_pending(there):
            self.sealed.open(there)  # what does not open takes nobody's place
        else:
            version = self._copy(name, fields, there)
            if self.manager.get(name) != fields:
                raise RuntimeError(f"{name} was written while it was moved")
            change = f"SET {LISTED_AS} = :in_use"
            table.update(key, change, condition=_IS_THERE, version=version, in_use=Kind.CREDENTIALS)
        self.manager.delete(name)
        table.delete(_note_key(name))
        return Moved.MOVED

    def _copy(self, name: str, fields: dict[str, str], there: Item | None) -> str:
        """The version of a copy that is not in use yet and has these fields: one that was begun, or a new one."""
        table = self.sealed.table
        if there is not None and self.sealed.open(there).fields == fields:
            return there["version"]
        copy = self.sealed.sealed(name, fields)
        condition, values = "attribute_not_exists(pk)", {}
        if there is not None:
            condition, values = _IS_THERE, {"version": there["version"]}
        table.put(copy | {LISTED_AS: Kind.PENDING}, condition=condition, **values)
        written = table.get(credentials_key(name))
        if written is None or self.sealed.open(written).fields != fields:
            raise RuntimeError(f"{name} was not written as it was read")
        return copy["version"]

    # --- out of the table: a note says that the copy is ours until the sealed item is gone, which ends both ----

    def _unseal(self, name: str) -> Moved:
        table, key, note = self.sealed.table, credentials_key(name), _note_key(name)
        item = table.get(key)
        if item is None or _is_pending(item):
            return self._forget(name)
        fields, version = self.sealed.open(item).fields, item["version"]
        is_there = Write(check=key, condition=_IS_THERE, values={"version": version})
        table.transact([is_there, Write(put={**note, "written_at": item["written_at"], LISTED_AS: Kind.MOVING})])
        if self.manager.put_new(name, fields, name.partition("/")[0]) and self.manager.get(name) != fields:
            raise RuntimeError(f"{name} was not written as it was read")
        gone = Write(delete=key, condition=_IS_THERE, values={"version": version})
        try:
            table.transact([gone, Write(delete=note)])
        except VersionConflict:
            return self._forget(name)
        return Moved.MOVED

    def _forget(self, name: str) -> Moved:
        """Remove the copy of what somebody deleted while it was moved; a copy in use is not one of these."""
        table, key, note = self.sealed.table, credentials_key(name), _note_key(name)
        item = table.get(key)
        if item is not None and _is_pending(item):
            table.delete(key)
        elif item is not None and not self._seals:
            raise _busy()  # sealed anew meanwhile, or a secret that was just made and is not seen yet
        if table.get(note) is not None:
            if item is None:
                self.manager.delete(name)
            table.delete(note)
        return Moved.GONE


def _busy() -> ServiceBusy:
    return problems.SECRET_BEING_MOVED()


def _is_pending(item: Item) -> bool:
    return item[LISTED_AS] == Kind.PENDING


def _note_key(name: str) -> Key:
    key = credentials_key(name)
    return make_key(key["pk"], Kind.MOVING, key["sk"].partition("#")[2])
