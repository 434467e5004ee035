"""Programs at work: where a key may be used from, and when it was last used."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import override

from erphub.api_keys import problems
from erphub.api_keys.capability import API_KEY_REFUSED, KEY_REFUSED
from erphub.api_keys.credentials.models import prefix_of
from erphub.api_keys.ports import KeyUseStore, RefusalNotices
from erphub.events.publisher import EventPublisher, make_event
from erphub.platform import logging
from erphub.platform.acts import ActAtHand, ActLog
from erphub.platform.clock import Clock
from erphub.platform.errors import HubError
from erphub.platform.http.authorization import Programs
from erphub.platform.identity import Caller, Program

USE_RECORDED_EVERY = timedelta(minutes=5)
REFUSAL_RECORDED_EVERY = timedelta(minutes=10)
"""So that whoever tries a key from elsewhere again and again cannot fill the audit log of its client."""
_MAX_REMEMBERED = 2_000


@dataclass(frozen=True)
class KeyUsage(Programs):
    """Refuses keys from elsewhere, and writes down that keys are used."""

    uses: KeyUseStore
    notices: RefusalNotices
    clock: Clock
    recorded: dict[str, datetime] = field(default_factory=dict[str, datetime])
    """When this process last wrote down the use of a key, by its id."""

    @override
    def admit(self, caller: Caller, program: Program) -> None:
        if program.networks and not is_within(caller.source, program.networks):
            self._refuse(caller, program)
        now = self.clock()
        last = self.recorded.get(caller.user)
        if last is not None and now - last < USE_RECORDED_EVERY:
            return
        if len(self.recorded) >= _MAX_REMEMBERED:
            self.recorded.clear()
        self.recorded[caller.user] = now
        try:
            self.uses.record_use(caller.user, now, caller.source, now - USE_RECORDED_EVERY)
        except HubError as error:
            # The request is no worse for it; the next one in this process comes in five minutes.
            logging.logger().warning("the use of a key was not written down", exc_info=error)

    def _refuse(self, caller: Caller, program: Program) -> None:
        now = self.clock()
        self.notices.report(caller, program, now, now - REFUSAL_RECORDED_EVERY)
        raise problems.NETWORK_NOT_ALLOWED()


@dataclass(frozen=True)
class AuditedRefusals(RefusalNotices):
    """In the audit log of the client, and by an event."""

    uses: KeyUseStore
    acts: ActLog
    events: EventPublisher

    @override
    def report(self, caller: Caller, program: Program, at: datetime, unless_since: datetime) -> None:
        about = {"key_id": caller.user, "prefix": prefix_of(caller.user), "name": program.name}
        with self.acts.acting(ActAtHand(API_KEY_REFUSED, caller, program.client_id, None, None, new=dict(about))):
            is_new = self.uses.record_refusal(caller.user, at, unless_since)
        if is_new:
            detail = f"The API key {program.name} was used from {caller.source}, which is none of its networks."
            event = make_event(
                KEY_REFUSED, program.client_id, None, at, caller.user, detail, **about, source=caller.source
            )
            self.events.publish(event)


class LoggedRefusals(RefusalNotices):
    """In the log alone: by a function that may write nothing of a tenant."""

    @override
    def report(self, caller: Caller, program: Program, at: datetime, unless_since: datetime) -> None:
        about = {"client_id": program.client_id, "prefix": prefix_of(caller.user), "source": caller.source}
        logging.logger().warning("a key was used from a network that it is not for", extra=about)


def is_within(source: str | None, networks: tuple[str, ...]) -> bool:
    """Whether an address, as the gateway saw it, lies in one of the networks."""
    try:
        address = ip_address(source or "")
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return any((mapped or address) in ip_network(network) for network in networks)
