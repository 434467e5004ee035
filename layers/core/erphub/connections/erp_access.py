"""Opens a connected ERP, with what all who use the connection share: its tokens and its rate limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, override

from erphub.connections import credentials
from erphub.connections.models import Connection
from erphub.connections.ports import ConnectionStore, OpensConnections, OpensErp, SharedResources
from erphub.erp import catalogue
from erphub.erp.system import ErpAdapter
from erphub.platform.secrets import Secrets


@dataclass(frozen=True)
class ErpAccess(OpensErp, OpensConnections):
    """The way to connected ERP systems. Nothing is dialled until the adapter is asked something."""

    connections: ConnectionStore
    secrets: Secrets
    resources: SharedResources
    networks: Sequence[str]
    """Internal networks (CIDR) in which a tenant's server may lie."""

    @override
    def open(
        self, erp_system: str, settings: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
    ) -> ErpAdapter:
        resources = self.resources(*secret_name.split("/")[:2]) if "/" in secret_name else None
        return catalogue.open_system(erp_system, settings, secret, networks=self.networks, resources=resources)

    @override
    def connected(self, connection: Connection) -> ErpAdapter:
        known, secret = credentials.read(self.connections, self.secrets, connection)
        return self.open(known.erp_system, known.settings, secret, known.secret_name)
