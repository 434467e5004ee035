"""Connected ERPs, with what all who use a connection share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import observe
from . import house

if TYPE_CHECKING:
    from ..models.connection import Connection
    from ..ports.erp import System
    from ..ports.shared import Shared


def open_system(
    erp_system: str, settings_of: Mapping[str, Any], secret: Mapping[str, str], secret_name: str = ""
) -> "System":
    """A connected ERP; nothing is dialled until it is asked something.

    By its secret's name the ERP's tokens and its budget of calls are shared with whoever else uses the connection.
    """
    from .. import erp

    networks = [str(network) for network in house.settings().allowed_erp_networks]
    lent = shared(*secret_name.split("/")[:2]) if "/" in secret_name else None
    return erp.open_system(erp_system, settings_of, secret, networks=networks, shared=lent)


def shared(client_id: str, connection_id: str) -> "Shared":
    """What everybody who uses a connection shares: its ERP's tokens and budget of calls."""
    from ..aws.budget import BudgetTable
    from ..aws.tokens import TokenTable
    from ..ports.shared import Shared

    return Shared(
        TokenTable(house.table(), house.settings().token_key, client_id, connection_id),
        BudgetTable(house.table(), client_id, connection_id, house.clock),
        house.clock,
        house.settings().erp_addresses,
        house.settings().erp_applications,
        hide=lambda value: observe.hide([value]),
    )


def connected(connection: "Connection") -> "System":
    """The ERP of a connection that is kept."""
    from .. import credentials

    known, secret = credentials.read(house.connection_table(), house.secrets(), connection)
    return open_system(known.erp_system, known.settings, secret, known.secret_name)
