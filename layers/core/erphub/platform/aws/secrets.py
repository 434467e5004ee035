"""Passwords and tokens, one secret per connection, in Secrets Manager."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from botocore.exceptions import ClientError

from erphub.platform import problems
from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import code_of, later_when_busy
from erphub.platform.aws.sessions import tenant_client
from erphub.platform.aws.transactions import make_waiting_writes
from erphub.platform.tenants import of_connection

_later = later_when_busy(problems.SECRETS_BUSY)


class SecretsManager:
    """Secrets whose names begin with this deployment's prefix; no other can be touched.

    A name is `<client>/<connection>`, or begins so. A secret is reached with the credentials of the tenant at hand: of
    its connection, or of the one that is named where only the client is at hand. Names are listed by the function.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @_later
    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        """Keep the fields as one JSON secret, tagged with the tenant; the same name again is a new version.

        What is kept already makes no version: one secret takes no more than one in ten minutes for long, and all of
        an account 50 in a second ("AWS Secrets Manager quotas").
        """
        if self.put_new(name, fields, tenant) or self.get(name) == dict(fields):
            return
        with of_connection(_connection(name)):
            manager = tenant_client("secretsmanager")
            manager.put_secret_value(SecretId=self._prefix + name, SecretString=_as_text(fields))

    @_later
    def put_new(self, name: str, fields: Mapping[str, str], tenant: str) -> bool:
        """Keep the fields unless the name is taken; whether they were."""
        make_waiting_writes()
        tags: Any = [{"Key": "erphub:client", "Value": tenant}]
        try:
            with of_connection(_connection(name)):
                manager = tenant_client("secretsmanager")
                manager.create_secret(Name=self._prefix + name, SecretString=_as_text(fields), Tags=tags)
        except ClientError as error:
            if code_of(error) != "ResourceExistsException":
                raise
            return False
        return True

    @_later
    def get(self, name: str) -> dict[str, str]:
        """The fields. Raises SecretGone."""
        try:
            with of_connection(_connection(name)):
                answer = tenant_client("secretsmanager").get_secret_value(SecretId=self._prefix + name)
        except ClientError as error:
            if code_of(error) in {"ResourceNotFoundException", "InvalidRequestException"}:
                raise problems.SECRET_GONE() from error
            raise
        return cast(dict[str, str], json.loads(answer["SecretString"]))

    @_later
    def delete(self, name: str) -> None:
        """Remove it at once; one that is not there is fine."""
        make_waiting_writes()
        try:
            with of_connection(_connection(name)):
                manager = tenant_client("secretsmanager")
                manager.delete_secret(SecretId=self._prefix + name, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def stored_before(self, moment: datetime) -> Iterator[str]:
        """The names of secrets last written before a moment, without the prefix. Raises Unavailable."""
        wanted = {"Key": "name", "Values": [self._prefix]}
        pages = client("secretsmanager").get_paginator("list_secrets").paginate(Filters=[cast(Any, wanted)])
        with _later:
            for secret in (one for page in pages for one in page["SecretList"]):
                name, written = secret.get("Name", ""), secret.get("LastChangedDate") or secret.get("CreatedDate")
                if name.startswith(self._prefix) and written is not None and written < moment:
                    yield name.removeprefix(self._prefix)

    @_later
    def names(self, begin: str) -> list[str]:
        """The names of all secrets that begin so, without the deployment's prefix."""
        wanted = {"Key": "name", "Values": [self._prefix + begin]}
        pages = client("secretsmanager").get_paginator("list_secrets").paginate(Filters=[cast(Any, wanted)])
        found = [secret.get("Name", "") for page in pages for secret in page["SecretList"]]
        # The service's own search is no respecter of upper and lower case.
        return [name.removeprefix(self._prefix) for name in found if name.startswith(self._prefix + begin)]


def _as_text(fields: Mapping[str, str]) -> str:
    return json.dumps(dict(fields), ensure_ascii=False)


def _connection(name: str) -> str:
    """The connection (or `webhook-<id>`) that a secret is of."""
    return name.split("/")[1] if "/" in name else ""
