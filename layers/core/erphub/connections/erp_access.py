"""Opens a connected ERP, with what all who use the connection share: its tokens and its rate limit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erphub.connections import credentials
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore
from erphub.erp import catalogue
from erphub.erp.resources import AdapterResources
from erphub.erp.system import ErpAdapter
from erphub.platform.secrets import Secrets


@dataclass(frozen=True)
class ErpAccess:
    """The way to connected ERP systems. Nothing is dialled until the adapter is asked something."""

    connections: ConnectionStore
    secrets: Secrets
    resources: Callable[[str, str], AdapterResources]
    """What everybody who uses a connection (client, connection) shares."""
    networks: Sequence[str]
    """Internal networks (CIDR) in which a tenant's server may lie."""

    def open(
        self, erp_system: str, settings: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
    ) -> ErpAdapter:
        """The system with these settings and passwords; by its secret's name it shares what the connection has.

        Raises NotFound (`unknown_erp_system`), and Invalid when the settings cannot be right.
        """
        resources = self.resources(*secret_name.split("/")[:2]) if "/" in secret_name else None
        return catalogue.open_system(erp_system, settings, secret, networks=self.networks, resources=resources)

    def connected(self, connection: Connection) -> ErpAdapter:
        """The ERP of a connection that is kept. Raises NotFound (`secret_gone`)."""
        known, secret = credentials.read(self.connections, self.secrets, connection)
        return self.open(known.erp_system, known.settings, secret, known.secret_name)
