"""What the deployment told this function about itself: the only module that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network


class CredentialStore(StrEnum):
    """Where connections' credentials are kept."""

    SECRET_PER_CONNECTION = "SecretPerConnection"  # noqa: S105  a choice
    SEALED_PER_CLIENT = "SealedPerClient"


@dataclass(frozen=True)
class Settings:
    """Names of this deployment's resources; empty when a function has no business with one."""

    table: str
    lake_bucket: str
    secret_prefix: str
    tenant_role: str
    """The role (ARN) that is taken on for one tenant, to reach that one's secrets and objects."""
    credentials_table: str
    credential_store: CredentialStore
    """Where credentials are written from now on."""
    user_pool: str
    user_pool_issuer: str
    """The address by which the pool's tokens name it."""
    user_pool_client: str
    """The app client that people sign in with."""
    connect_machine: str
    import_machine: str
    allowed_erp_networks: tuple[IPv4Network | IPv6Network, ...]
    is_read_only: bool
    """Whether this function may write nothing of a tenant."""
    stage: str
    region: str
    export_log_table: str
    transfer_machine: str
    transfer_function: str
    resend_delay_seconds: int
    """How long to wait, when an answer was lost, before an ERP that shows nothing of a document is sent it again."""
    token_key: str
    """The KMS key that ERP systems' tokens are encrypted with."""
    erp_addresses: Mapping[str, str]
    """Addresses of ERP systems in place of their vendors', by system: where stand-ins are."""
    erp_applications: Mapping[str, str]
    """What vendors gave this deployment to identify itself, by system."""
    event_bus: str
    """The bus on which events are published."""
    webhook_ca_bundle: str
    """A certificate authority (PEM) that receivers of webhooks may have besides the public ones."""
    delete_machine: str
    deletion_grace_seconds: int
    """For how long a deleted connection can be brought back."""
    allowed_origins: tuple[str, ...]
    """Origins of web pages that may call the API (`https://app.example.com`)."""
    egress_addresses: tuple[str, ...]
    """Where the hub's calls to tenants' servers come from, when that is fixed (addresses or CIDRs)."""
    sql_server_reader: str
    """By what rows of a SQL Server are read, where login and table allow it; empty for what is usual."""
    limits: Mapping[str, int]
    """Maxima of limits in place of the manifests', by name."""
    aws_endpoint: str | None
    """Where AWS is, when it is not AWS (an emulator); the table engine needs to be told, boto3 knows by itself."""

    @property
    def client_key_prefix(self) -> str:
        """What the names of clients' keys begin with, beside the secrets: a function's rights tell them apart."""
        return self.secret_prefix.removesuffix("connections/") + "client-keys/"

    @property
    def user_pool_keys_url(self) -> str:
        """Where the public keys of the pool's tokens are: below its issuer; an emulator says so and has them itself."""
        at = f"{self.aws_endpoint}/{self.user_pool}" if self.aws_endpoint else self.user_pool_issuer
        return f"{at}/.well-known/jwks.json"

    @property
    def lake_options(self) -> dict[str, str]:
        """What the table engine must be told about S3; credentials it finds in the environment by itself."""
        options = {"aws_region": self.region, "aws_conditional_put": "etag"}
        endpoint = self.aws_endpoint
        return options | ({"aws_endpoint": endpoint, "aws_allow_http": "true"} if endpoint else {})


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, from the process's environment unless another is given."""
    env = os.environ if environment is None else environment
    networks = (part.strip() for part in env.get("ALLOWED_ERP_NETWORKS", "").split(","))
    return Settings(
        table=env.get("TABLE_NAME", ""),
        lake_bucket=env.get("LAKE_BUCKET", ""),
        secret_prefix=env.get("SECRET_PREFIX", ""),
        tenant_role=env.get("TENANT_ROLE", ""),
        credentials_table=env.get("SEALED_TABLE", ""),
        credential_store=CredentialStore(env.get("CHOSEN_STORE", CredentialStore.SECRET_PER_CONNECTION)),
        user_pool=env.get("USER_POOL_ID", ""),
        user_pool_issuer=env.get("USER_POOL_ISSUER", ""),
        user_pool_client=env.get("USER_POOL_CLIENT_ID", ""),
        connect_machine=env.get("CONNECT_MACHINE_ARN", ""),
        import_machine=env.get("IMPORT_MACHINE_ARN", ""),
        allowed_erp_networks=tuple(ip_network(part) for part in networks if part),
        is_read_only=env.get("READ_ONLY", "") == "true",
        stage=env.get("STAGE", "dev"),
        region=env.get("AWS_REGION", env.get("AWS_DEFAULT_REGION", "eu-north-1")),
        export_log_table=env.get("EXPORT_LOG_TABLE", ""),
        transfer_machine=env.get("TRANSFER_MACHINE_ARN", ""),
        transfer_function=env.get("TRANSFER_FUNCTION", ""),
        resend_delay_seconds=int(env.get("RESEND_DELAY_SECONDS", "600")),
        token_key=env.get("TOKEN_KEY_ID", ""),
        erp_addresses=_pairs(env.get("ERP_ADDRESSES", "")),
        erp_applications=_pairs(env.get("ERP_APPLICATIONS", "")),
        event_bus=env.get("EVENT_BUS", ""),
        webhook_ca_bundle=env.get("WEBHOOK_CA_BUNDLE", "").replace("\\n", "\n"),
        delete_machine=env.get("DELETE_MACHINE_ARN", ""),
        deletion_grace_seconds=int(env.get("DELETION_GRACE_SECONDS", str(30 * 86400))),
        allowed_origins=tuple(part for part in env.get("ALLOWED_ORIGINS", "").split(",") if part),
        egress_addresses=tuple(part for part in env.get("EGRESS_ADDRESSES", "").split(",") if part),
        sql_server_reader=env.get("SQL_SERVER_READER", ""),
        limits={name: int(value) for name, value in _pairs(env.get("LIMITS", "")).items()},
        aws_endpoint=env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or None,
    )


def _pairs(text: str) -> dict[str, str]:
    """`system=value` with commas between; a pair without a value is as good as none."""
    pairs = (part.strip().partition("=") for part in text.split(","))
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}
