"""Credentials for one tenant: a role of the deployment that is taken on with the tenant's names as session tags.

A function's own role reads no secret and no object. It may take on one other role, whose policy allows what lies under
the names of the tags and nothing else (`${aws:PrincipalTag/client}`), and which nobody gets without tags. Tags rather
than a policy with each session: a call that leaves the policy away would get everything, one without tags gets nothing.

One client per service is enough: which credentials a request is signed with is decided when it is signed, by the tenant
at hand (`platform.tenants`) in the thread that signs. Credentials are kept by all of their tags.

Sources: "Pass session tags in AWS STS", "IAM and AWS STS quotas" (a role taken on by a role's session lasts an hour at
most), "AssumeRole" (API reference).
"""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, cast, overload, override

from botocore.credentials import CredentialProvider, Credentials, ReadOnlyCredentials

from erphub.platform import problems, tenants
from erphub.platform.aws import clients
from erphub.platform.aws.errors import later_when_busy
from erphub.platform.clock import Clock
from erphub.platform.errors import ServiceBusy
from erphub.platform.settings import read_settings
from erphub.platform.tenants import Tenant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

LIFETIME = timedelta(hours=1)
"""As long as AWS allows where one role takes on another."""
MIN_LEFT = timedelta(minutes=16)
"""With less left new ones are taken. No function runs longer than 15 minutes, and no address that is signed for an
upload is good for longer: whatever begins with credentials ends with them."""
MAX_KEPT = 100
"""Of how many tenants a process keeps credentials; each is a kilobyte or two."""
_OVER = {"ExpiredToken", "ExpiredTokenException"}
"""What AWS says of credentials that are good no longer."""

# Refused, too: a role that was made a moment ago is not known everywhere at once.
_later = later_when_busy(problems.STORAGE_BUSY, otherwise=ServiceBusy)


def tags_of(tenant: Tenant) -> dict[str, str]:
    """The session tags of a tenant, as the roles' policies know them."""
    found = {"client": tenant.client_id}
    return found if tenant.connection_id is None else found | {"connection": tenant.connection_id}


class TenantSessions:
    """One function's sessions of the role that it takes on for tenants. Threads may ask at once."""

    def __init__(self, role: str, clock: Clock = lambda: datetime.now(UTC)) -> None:
        """`role` is its ARN."""
        self._role = role
        self._clock = clock
        self._kept: OrderedDict[Tenant, tuple[ReadOnlyCredentials, datetime]] = OrderedDict()
        self._keeping = Lock()
        self._clients: dict[str, Any] = {}

    def credentials(self, tenant: Tenant) -> ReadOnlyCredentials:
        """Credentials that reach this tenant's part and are good for another 16 minutes. Raises ServiceBusy."""
        with self._keeping:
            found = self._kept.get(tenant)
            if found is not None and found[1] - self._clock() >= MIN_LEFT:
                self._kept.move_to_end(tenant)
                return found[0]
        # Not while the others wait: two that take on the same role at once have two sessions of the same tenant.
        taken, until = self._take_on(tenant)
        with self._keeping:
            self._kept[tenant] = taken, until
            self._kept.move_to_end(tenant)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return taken

    def client(self, service: str) -> Any:
        """The client of a service, whose requests are signed for the tenant at hand."""
        if service not in self._clients:
            made = clients.make_client(service, _Provider(self))
            made.meta.events.register("after-call", self._forget_what_is_over)
            self._clients[service] = made
        return self._clients[service]

    def _forget_what_is_over(self, parsed: Mapping[str, Any], **_: Any) -> None:
        if parsed.get("Error", {}).get("Code") in _OVER:
            with self._keeping:
                self._kept.pop(tenants.at_hand(), None)

    @_later
    def _take_on(self, tenant: Tenant) -> tuple[ReadOnlyCredentials, datetime]:
        answer = clients.client("sts").assume_role(
            RoleArn=self._role,
            RoleSessionName=f"client-{tenant.client_id}"[:64],
            DurationSeconds=int(LIFETIME.total_seconds()),
            Tags=[{"Key": name, "Value": value} for name, value in tags_of(tenant).items()],
        )
        given = answer["Credentials"]
        keys = ReadOnlyCredentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return keys, given["Expiration"]


class _OfTheTenantAtHand(Credentials):
    """Credentials that are looked up for each request that is signed."""

    def __init__(self, sessions: TenantSessions) -> None:
        super().__init__("", "", method="tenant")
        self._sessions = sessions

    @override
    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        return self._sessions.credentials(tenants.at_hand())


class _Provider(CredentialProvider):
    METHOD = "tenant"

    def __init__(self, sessions: TenantSessions) -> None:
        super().__init__()
        self._made = _OfTheTenantAtHand(sessions)

    @override
    def load(self) -> Credentials:
        return self._made


@cache
def _sessions() -> TenantSessions | None:
    role = read_settings().tenant_role
    return TenantSessions(role) if role else None


@overload
def tenant_client(service: Literal["s3"]) -> "S3Client": ...
@overload
def tenant_client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
def tenant_client(service: Any) -> Any:
    """The client of a service that reaches the part of the tenant at hand only.

    Its calls raise ServiceBusy, NoTenantAtHand too. A function without a role for tenants uses its own credentials,
    which in a deployment reach nobody's part.
    """
    sessions = _sessions()
    return cast(Any, clients.client(service)) if sessions is None else sessions.client(service)


def engine_credentials() -> dict[str, str]:
    """What the table engine must be told to reach the part of the tenant at hand only; it finds its own otherwise.

    Raises ServiceBusy, NoTenantAtHand.
    """
    sessions = _sessions()
    if sessions is None:
        return {}
    keys = sessions.credentials(tenants.at_hand())
    return {
        "aws_access_key_id": str(keys.access_key),
        "aws_secret_access_key": str(keys.secret_key),
        "aws_session_token": str(keys.token),
    }


def forget_all() -> None:
    """Begin anew, in tests: another role, another AWS."""
    _sessions.cache_clear()
