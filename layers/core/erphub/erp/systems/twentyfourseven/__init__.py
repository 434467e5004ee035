"""24SevenOffice (Finago Office): two ways of signing in, REST first, SOAP for what only it can do."""

from collections.abc import Mapping, Sequence
from typing import Any

from erphub.erp.systems.twentyfourseven.description import DESCRIPTION
from erphub.erp.systems.twentyfourseven.system import TwentyFourSevenOffice

__all__ = ["DESCRIPTION", "connect"]


def connect(
    settings: Mapping[str, Any],
    secret: Mapping[str, str],
    *,
    networks: Sequence[str] = (),  # noqa: ARG001 - the vendor's addresses are fixed: no tenant types one
    transport: Any = None,
) -> TwentyFourSevenOffice:
    """The connected system; `transport` is an httpx transport in place of the network."""
    return TwentyFourSevenOffice(settings, secret, transport)
