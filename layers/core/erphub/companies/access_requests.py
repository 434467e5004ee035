"""Asking the people of a connection for a company that it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, override

from erphub.companies.capability import COMPANY_ACCESS_REQUESTED
from erphub.companies.models import CompanyUse
from erphub.companies.ports import OwnerNotices
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform.clock import Clock
from erphub.platform.ids import derived_id


@dataclass(frozen=True)
class AccessRequests(OwnerNotices):
    """The people of a connection learn that somebody would like to use a company of theirs."""

    publisher: EventPublisher
    clock: Clock

    @override
    def request_access(self, use: CompanyUse, request_key: str, detail: str, details: Mapping[str, Any]) -> None:
        now, kind = self.clock(), COMPANY_ACCESS_REQUESTED
        notice = make_event(kind, use.client_id, use.connection_id, now, request_key, detail, **details)
        self.publisher.publish_once(notice, derived_id(kind, f"{now:%Y-%m-%d}", request_key))
