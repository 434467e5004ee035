"""Asking the people of a connection for a company that it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from erphub.companies.capability import COMPANY_ACCESS_REQUESTED
from erphub.companies.models import CompanyUse
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.clock import Clock
from erphub.platform.ids import derived_id


@dataclass(frozen=True)
class AccessRequests:
    """The people of a connection learn that somebody would like to use a company of theirs: of the same once a day."""

    publisher: EventPublisher
    clock: Clock

    def tell(self, holder: CompanyUse, about: str, detail: str, facts: Mapping[str, Any]) -> None:
        """Tell of a request, unless it has been told of today. `about` says who asks for what."""
        now, kind = self.clock(), COMPANY_ACCESS_REQUESTED
        told = make_event(kind, holder.client_id, holder.connection_id, now, about, detail, **facts)
        self.publisher.publish_once(told, derived_id(kind, f"{now:%Y-%m-%d}", about))
