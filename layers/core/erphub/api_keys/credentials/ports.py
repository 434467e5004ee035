"""Where what keys are recognised by is kept."""

from typing import Protocol

from erphub.api_keys.credentials.models import Credential


class CredentialStore(Protocol):
    """Credentials by the ids of their keys."""

    def find(self, key_id: str) -> Credential | None:
        """What is kept of a key now. Raises Unavailable."""
        ...
