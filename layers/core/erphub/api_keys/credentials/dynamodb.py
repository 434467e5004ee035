"""What keys are recognised by, each in a partition of its own: whoever reads these need read nothing else."""

from typing import override

from erphub.api_keys.credentials.models import Credential
from erphub.api_keys.credentials.ports import CredentialStore
from erphub.platform.aws.items import Item
from erphub.platform.aws.table import Table, make_key
from erphub.platform.writes import Key


class CredentialTable(CredentialStore):
    """Credentials in the tenant table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @override
    def find(self, key_id: str) -> Credential | None:
        item = self._table.get(credential_key(key_id))
        return Credential.read(item) if item else None


def credential_item(credential: Credential) -> Item:
    """The item of a credential."""
    return {**credential_key(credential.key_id), **credential.as_document()}


def credential_key(key_id: str) -> Key:
    """The key of a credential."""
    return make_key(f"API-KEY#{key_id}", "CREDENTIAL")
