"""Connected ERPs, with what all who use a connection share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from erphub.platform import redaction
from erphub.wiring import house

if TYPE_CHECKING:
    from erphub.connections.models import Connection
    from erphub.erp.resources import AdapterResources
    from erphub.erp.system import ErpAdapter


def open_system(
    erp_system: str, settings_of: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
) -> "ErpAdapter":
    """A connected ERP; nothing is dialled until it is asked something.

    By its secret's name the ERP's tokens and its budget of calls are shared with whoever else uses the connection.
    """
    from erphub.erp import catalogue as erp

    networks = [str(network) for network in house.settings().allowed_erp_networks]
    lent = shared(*secret_name.split("/")[:2]) if "/" in secret_name else None
    return erp.open_system(erp_system, settings_of, secret, networks=networks, shared=lent)


def shared(client_id: str, connection_id: str) -> "AdapterResources":
    """What everybody who uses a connection shares: its ERP's tokens and budget of calls."""
    from erphub.erp.dynamodb import RateLimitTable, TokenTable
    from erphub.erp.resources import AdapterResources

    return AdapterResources(
        TokenTable(house.table(), house.settings().token_key, client_id, connection_id),
        RateLimitTable(house.table(), client_id, connection_id, house.clock),
        house.clock,
        house.settings().erp_addresses,
        house.settings().erp_applications,
        hide=lambda value: redaction.hide([value]),
    )


def connected(connection: "Connection") -> "ErpAdapter":
    """The ERP of a connection that is kept."""
    from erphub.connections import credentials

    known, secret = credentials.read(house.connection_table(), house.secrets(), connection)
    return open_system(known.erp_system, known.settings, secret, known.secret_name)
