"""Where the lake's tables are, how they are opened, and the table engine's errors in the hub's words."""

import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from deltalake import DeltaTable, PostCommitHookProperties
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from erphub.lake import problems
from erphub.platform.aws.sessions import engine_credentials
from erphub.platform.errors import HubError, ServiceBusy, Unavailable
from erphub.platform.objects import ObjectStore
from erphub.platform.problems import LAKE_UNAVAILABLE

MAX_ATTEMPTS = 12
"""Of a commit that meets others."""
NO_HOOK = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
"""The engine does nothing of its own after a commit: were that to fail, it would call the commit a failure."""


@dataclass(frozen=True)
class Storage:
    """Tables below `root` (`s3://bucket` or a folder); `files` reaches the same place, `options` are the engine's."""

    root: str
    files: ObjectStore
    options: dict[str, str]

    def table(self, key: str) -> DeltaTable:
        """The table there. Raises the engine's TableNotFoundError."""
        return DeltaTable(f"{self.root}/{key}", storage_options=as_the_tenant(self.options))

    def table_if_any(self, key: str) -> DeltaTable | None:
        """The table there, if there is one."""
        try:
            return self.table(key)
        except TableNotFoundError:
            return None


def as_the_tenant(options: Mapping[str, str]) -> dict[str, str]:
    """The engine's options with credentials that reach the part of the tenant at hand, good until the function ends.

    Raises ServiceBusy.
    """
    return {**options, **engine_credentials()}


def storage(root: str, files: ObjectStore, options: Mapping[str, str]) -> Storage:
    """Storage with options of its own."""
    return Storage(root, files, dict(options))


def pause(attempt: int) -> None:
    """Wait a little before trying a commit again, longer each time, so that two do not meet again."""
    time.sleep(random.uniform(0.02, 0.1) * (attempt + 1))  # noqa: S311  chance, not a secret


def busy() -> Unavailable:
    """Others were faster, again and again."""
    return problems.TABLE_BEING_WRITTEN()


_BUSY = re.compile(
    r"429 Too Many Requests|500 Internal Server Error|502 Bad Gateway|503 Service Unavailable|504 Gateway Time"
    r"|<Code>(SlowDown|RequestTimeout|ServiceUnavailable|InternalError|ExpiredToken)</Code>|error sending request"
)
"""How the engine words a store that is busy or not to be reached; it has no class of its own for that."""


def unavailable(error: BaseException) -> Unavailable:
    """What the engine met in the store: a store that is busy is waited for and is nobody's failure."""
    return LAKE_UNAVAILABLE.ending(ServiceBusy if _BUSY.search(str(error)) else Unavailable)()


def is_engine_error(error: BaseException) -> bool:
    """Whether the engine or its storage failed: what a query meets in storage comes as a plain Exception."""
    return isinstance(error, (DeltaError, OSError)) or type(error) is Exception


class translated:
    """Translates the engine's errors to the hub's; a conflict of commits is left for who tries again."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, (HubError, CommitFailedError)) or not is_engine_error(error):
            return
        raise unavailable(error) from error
