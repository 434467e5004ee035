"""What the command remembers between calls: deployments by name, and secrets, in a file of the user alone."""

import json
import os
import stat
from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_serializer

from erphub_client.sign_in import CALLBACK

FOLDER_VARIABLE = "ERPHUB_CONFIG_DIR"


class StoreError(Exception):
    """What is remembered cannot be used, and what to do."""


class KeptSignIn(BaseModel):
    """How somebody signed in: by an API key, or as a person whose tokens are renewed."""

    api_key: SecretStr | None = None
    id_token: SecretStr | None = None
    refresh_token: SecretStr | None = None
    sign_in_url: str = ""
    app_client_id: str = ""
    callback: str = CALLBACK

    @field_serializer("api_key", "id_token", "refresh_token", when_used="json")
    def _plain(self, secret: SecretStr | None) -> str | None:
        """What goes into the file; nothing else serializes secrets."""
        return None if secret is None else secret.get_secret_value()


class Profile(BaseModel):
    """One deployment, and who one is there."""

    url: str
    client_id: str | None = None
    sign_in: KeptSignIn | None = None


class Kept(BaseModel):
    """All that is remembered."""

    profiles: dict[str, Profile] = Field(default_factory=dict[str, Profile])


class Store:
    """The file of profiles: readable by its owner alone, replaced as a whole."""

    def __init__(self, folder: Path | None = None) -> None:
        """In `folder`, else where ERPHUB_CONFIG_DIR or XDG_CONFIG_HOME says."""
        given = os.environ.get(FOLDER_VARIABLE)
        above = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        self.path = (folder or (Path(given) if given else above / "erphub")) / "profiles.json"

    def read(self) -> Kept:
        """All of it; nothing when there is no file. Raises StoreError when others may read it, or it is broken."""
        try:
            with self.path.open(encoding="utf-8") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                if os.name == "posix" and mode & 0o077:
                    raise StoreError(
                        f"{self.path} holds secrets and may be read by others: chmod 600 it, and change them."
                    )
                return Kept.model_validate(json.load(file))
        except FileNotFoundError:
            return Kept()
        except (ValueError, ValidationError) as error:
            raise StoreError(f"{self.path} cannot be read. Move it away and sign in again.") from error

    def profile(self, name: str) -> Profile | None:
        """The profile of this name."""
        return self.read().profiles.get(name)

    def keep(self, name: str, profile: Profile | None) -> None:
        """Remember a profile, or forget it. Raises StoreError."""
        kept = self.read()
        kept.profiles.pop(name, None)
        if profile is not None:
            kept.profiles[name] = profile
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(kept.model_dump_json(indent=2) + "\n")
        fresh.replace(self.path)
