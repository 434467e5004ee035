"""Data keys of clients: 256 bits each, a secret of its own in Secrets Manager, named `<client>/<key id>`.

A key is never written over, only made and destroyed: so two that make one agree, and a key that was dropped leaves no
earlier version behind it, as one secret that holds several would (its `AWSPREVIOUS`).
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from botocore.exceptions import ClientError

from erphub.platform import problems
from erphub.platform.aws.clients import client
from erphub.platform.aws.credentials.sealing import KEY_BYTES
from erphub.platform.aws.errors import code_of, later_when_busy
from erphub.platform.aws.sessions import tenant_client
from erphub.platform.clock import Clock
from erphub.platform.errors import SecretGone
from erphub.platform.secrets import Redactor
from erphub.platform.tenants import NoTenantAtHand, at_hand

KEPT_IN_MEMORY = timedelta(minutes=5)
_later = later_when_busy(problems.SECRETS_BUSY)


@dataclass(frozen=True)
class _Known:
    key: bytes
    until: datetime


class ClientKeys:
    """Keys whose names begin with this deployment's prefix, in memory for five minutes at most.

    They are read with the credentials of the tenant at hand: where a function has a role for tenants, only the client
    whose work is being done can be unsealed.
    """

    def __init__(self, prefix: str, clock: Clock, redactor: Redactor) -> None:
        self._prefix = prefix
        self._clock = clock
        self._redactor = redactor
        self._known: dict[tuple[str | None, str, str], _Known] = {}

    def read(self, client_id: str, key_id: str) -> bytes:
        """The key. Raises SecretGone when it was destroyed or never made, ServiceBusy."""
        now = self._clock()
        # A frozen process forgets when it is next used; until then nobody runs in it.
        self._known = {name: known for name, known in self._known.items() if known.until > now}
        # By who asks, too: what one client's work was allowed to read is not there for another's.
        name = _client_at_hand(), client_id, key_id
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = _Known(self._fetch(client_id, key_id), now + KEPT_IN_MEMORY)
        self._redactor.redact([known.key.hex()])
        return known.key

    def make(self, client_id: str, key_id: str) -> bytes:
        """The key, made unless it is there. Raises ServiceBusy."""
        try:
            return self.read(client_id, key_id)
        except SecretGone:
            self._create(client_id, key_id)
        return self.read(client_id, key_id)

    @_later
    def destroy(self, client_id: str, key_id: str) -> None:
        """Remove the key without a way back: nothing that was sealed with it opens again, wherever copies lie."""
        self._known.clear()
        name = self._name(client_id, key_id)
        try:
            client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def of_client(self, client_id: str) -> Iterator[str]:
        """The ids of a client's keys; the list lags behind."""
        begin = self._name(client_id, "")
        wanted = {"Key": "name", "Values": [begin]}
        pages = client("secretsmanager").get_paginator("list_secrets").paginate(Filters=[cast(Any, wanted)])
        with _later:
            for found in (one.get("Name", "") for page in pages for one in page["SecretList"]):
                # The service's own search is no respecter of upper and lower case.
                if found.startswith(begin):
                    yield found.removeprefix(begin)

    def _name(self, client_id: str, key_id: str) -> str:
        return f"{self._prefix}{client_id}/{key_id}"

    @_later
    def _fetch(self, client_id: str, key_id: str) -> bytes:
        try:
            answer = tenant_client("secretsmanager").get_secret_value(SecretId=self._name(client_id, key_id))
        except ClientError as error:
            if code_of(error) in {"ResourceNotFoundException", "InvalidRequestException"}:
                raise problems.SECRET_GONE() from error
            raise
        return bytes.fromhex(answer["SecretString"])

    @_later
    def _create(self, client_id: str, key_id: str) -> None:
        key = secrets.token_bytes(KEY_BYTES).hex()
        self._redactor.redact([key])
        try:
            tenant_client("secretsmanager").create_secret(
                Name=self._name(client_id, key_id),
                SecretString=key,
                Tags=[{"Key": "erphub:client", "Value": client_id}],
            )
        except ClientError as error:
            if code_of(error) != "ResourceExistsException":  # another one was first: both use that key
                raise


def _client_at_hand() -> str | None:
    try:
        return at_hand().client_id
    except NoTenantAtHand:
        return None
