"""Passwords and tokens, one secret per connection, in Secrets Manager."""

import json
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError

from ..errors import NotFound
from .clients import client


class SecretsManager:
    """Secrets whose names begin with this deployment's prefix; no other can be touched."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def put(self, name: str, fields: Mapping[str, str], tenant: str) -> None:
        """Keep the fields as one JSON secret, tagged with the tenant; the same name again is a new version."""
        value = json.dumps(dict(fields), ensure_ascii=False)
        manager = client("secretsmanager")
        try:
            manager.create_secret(
                Name=self._prefix + name, SecretString=value, Tags=[{"Key": "erphub:client", "Value": tenant}]
            )
        except ClientError as error:
            if _code(error) != "ResourceExistsException":
                raise
            manager.put_secret_value(SecretId=self._prefix + name, SecretString=value)

    def get(self, name: str) -> dict[str, str]:
        """The fields. Raises NotFound (`secret_gone`)."""
        try:
            answer = client("secretsmanager").get_secret_value(SecretId=self._prefix + name)
        except ClientError as error:
            if _code(error) in {"ResourceNotFoundException", "InvalidRequestException"}:
                raise NotFound("The password is no longer kept. Enter it again.", code="secret_gone") from error
            raise
        return cast(dict[str, str], json.loads(answer["SecretString"]))

    def delete(self, name: str) -> None:
        """Remove it at once; one that is not there is fine."""
        try:
            client("secretsmanager").delete_secret(SecretId=self._prefix + name, ForceDeleteWithoutRecovery=True)
        except ClientError as error:
            if _code(error) != "ResourceNotFoundException":
                raise


def _code(error: ClientError) -> str:
    return cast(dict[str, Any], error.response).get("Error", {}).get("Code", "")
