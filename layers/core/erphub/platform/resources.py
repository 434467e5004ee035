"""What the deployment gives every capability: settings, tables, secrets, the clock, state machines.

Everything is made once, on first use, and imported then: a function starts with what all its events need, the table.
"""

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from erphub.platform.aws.table import Table
from erphub.platform.ids import new_id
from erphub.platform.settings import CredentialStore, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from erphub.platform.aws.credentials.sealed import SealedCredentials
    from erphub.platform.aws.objects import Bucket
    from erphub.platform.aws.secrets import SecretsManager
    from erphub.platform.clock import Clock, IdGenerator
    from erphub.platform.cursors import Cursors
    from erphub.platform.idempotency import IdempotencyStore
    from erphub.platform.limits import LimitStore
    from erphub.platform.secrets import Secrets, StoredSecrets
    from erphub.platform.state_machines import StateMachine
    from erphub.platform.workers import Worker


def now() -> datetime:
    """Now in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class PlatformResources:
    """One function's part of the deployment."""

    def __init__(self, settings: Settings | None = None) -> None:
        """As `settings` say, or else the environment."""
        if settings is not None:
            self.settings = settings
        self.clock: Clock = now
        self.new_id: IdGenerator = new_id

    @cached_property
    def settings(self) -> Settings:
        """What the deployment told this function."""
        return read_settings()

    @cached_property
    def table(self) -> Table:
        """The tenant table."""
        return Table(self.settings.table)

    @cached_property
    def export_log_table(self) -> Table:
        """The table of the export log."""
        return Table(self.settings.export_log_table)

    @cached_property
    def bucket(self) -> "Bucket":
        """The bucket of the lake and of documents' files."""
        from erphub.platform.aws.objects import Bucket

        return Bucket(self.settings.lake_bucket)

    @cached_property
    def secrets(self) -> "Secrets":
        """Passwords; each one that is read or written is kept out of the log from then on."""
        from erphub.platform import redaction

        return redaction.GuardedSecrets(self.stored_secrets)

    @cached_property
    def stored_secrets(self) -> "StoredSecrets":
        """Which secrets there are, and the way to remove them; the list lags behind."""
        from erphub.platform.aws.credentials.stores import BothStores

        # In order of which is written to.
        stores: list[StoredSecrets] = [self.secret_per_connection, self.sealed_credentials]
        if self.settings.credential_store is CredentialStore.SEALED_PER_CLIENT:
            stores.reverse()
        return BothStores(*stores, signing=self.secret_per_connection)

    @cached_property
    def secret_per_connection(self) -> "SecretsManager":
        """Credentials that are a secret each, and what webhooks are signed with."""
        from erphub.platform.aws.secrets import SecretsManager

        return SecretsManager(self.settings.secret_prefix)

    @cached_property
    def sealed_credentials(self) -> "SealedCredentials":
        """Credentials that are sealed under their client's key."""
        from erphub.platform import redaction
        from erphub.platform.aws.credentials.client_keys import ClientKeys
        from erphub.platform.aws.credentials.sealed import SealedCredentials

        keys = ClientKeys(self.settings.client_key_prefix, self.clock, redaction)
        return SealedCredentials(Table(self.settings.credentials_table), keys, self.clock)

    @cached_property
    def idempotency(self) -> "IdempotencyStore":
        """Requests that come twice."""
        from erphub.platform.aws.idempotency import IdempotencyRecords

        return IdempotencyRecords(self.table, self.clock)

    @cached_property
    def cursors(self) -> "Cursors":
        """Where pages end."""
        from erphub.platform.aws.cursor_key import StoredCursorKey
        from erphub.platform.cursors import Cursors

        return Cursors(StoredCursorKey(self.table))

    @cached_property
    def limit_store(self) -> "LimitStore":
        """What is remembered of limits."""
        from erphub.platform.aws.limits import LimitTable

        return LimitTable(self.table)

    def machine(self, arn: str) -> "StateMachine":
        """The state machine of this ARN."""
        from erphub.platform.aws.state_machines import StepFunctionsMachine

        return StepFunctionsMachine(arn)

    @cached_property
    def worker(self) -> "Worker":
        """Who does what a request does not wait for."""
        from erphub.platform.aws.workers import FunctionWorker

        return FunctionWorker(self.settings.transfer_function, self.settings.transfer_machine)

    @staticmethod
    def aws_call_counts() -> "Mapping[str, int]":
        """The AWS calls of this process until now, by name."""
        from erphub.platform.aws.clients import calls

        return dict(calls)
