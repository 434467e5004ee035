"""Programs: recognised by their API keys."""

from dataclasses import dataclass

from erphub.api_keys.credentials.models import key_id_of
from erphub.api_keys.credentials.ports import CredentialStore
from erphub.platform.clock import Clock
from erphub.platform.identity import Caller, Program, SignInMethod


@dataclass(frozen=True)
class KeySignIn:
    """Finds the program whose key it is."""

    credentials: CredentialStore
    clock: Clock

    def find(self, shown: str) -> Caller | None:
        """The program; None when it is no key, or one that is unknown, revoked or has ended. Raises Unavailable."""
        key_id = key_id_of(shown)
        credential = self.credentials.find(key_id) if key_id else None
        secret = credential.find(shown, self.clock()) if credential else None
        if credential is None or secret is None:
            return None
        return Caller(
            credential.key_id,
            method=SignInMethod.API_KEY,
            valid_until=credential.ends_at(secret),
            program=Program(credential.client_id, credential.name, credential.networks),
        )
