"""Random settlements, faults and retries, over both transports, into ledger and inbox: nothing lost, nothing twice."""

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erphub.erp import catalogue as erp
from erphub.erp.documents import DocumentKind
from erphub.erp.posting import NEVER_TRIED, Posted
from erphub.erp.resources import AdapterResources
from erphub.erp.systems.twentyfourseven.rate_limits import InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore
from erphub.platform.errors import Unavailable, Uncertain
from local.erps.twentyfourseven import App, Transport, seed
from tests.erp.systems.twentyfourseven.conftest import PDF, Time, posting, settlement

LOST = ["error_before", "error_after", "timeout_before", "timeout_after", "cut_before", "cut_after", "half"]
OTHER = ["session_expired", "rate_limited"]
faults = st.lists(
    st.tuples(st.sampled_from(["*", "rest:*", "soap:*", "rest:POST *", "soap:Save*", "upload", "token"]),
              st.sampled_from(LOST + OTHER), st.integers(0, 12)),
    max_size=6,
)  # fmt: skip


class Hub:
    """Sends as the hub does: looks before it sends again."""

    def __init__(self, way: str) -> None:
        self.app, self.clock = App.seeded(), Time()
        self.app.world.clock = self.clock
        self.way = way
        self.tokens, self.rate_limiter = InProcessTokenStore(), InProcessRateLimiter(self.clock)
        self.long_lived = self.system()
        """What one transfer sends through, until it dies."""

    def system(self) -> Any:
        """A new function's connection, which shares what they all share."""
        if self.way == "user":
            answers, secret = {"username": seed.USER, "has_several_companies": True}, {"password": seed.PASSWORD}
        else:
            answers = {"organisation_id": str(seed.SHOP), "client_id": seed.CLIENT_ID}
            secret = {"client_secret": seed.CLIENT_SECRET}
        resources = AdapterResources(
            self.tokens, self.rate_limiter, self.clock,
            applications={"24sevenoffice": seed.APPLICATION_ID}, pause=self.clock.sleep,
        )  # fmt: skip
        answers = {"sign_in": self.way, **answers}
        return erp.open_system("24sevenoffice", answers, secret, transport=Transport(self.app), resources=resources)

    def send(self, number: int, target: str) -> Posted:
        document, key = settlement(self.app, number), f"EH-{number:026}"
        how = posting(key, pdf=PDF, routing={"target": target})
        maybe, quiet = False, NEVER_TRIED
        system = self.long_lived
        for _ in range(40):
            try:
                tried = replace(how, quiet_since=quiet)
                found = system.find(DocumentKind.SETTLEMENT, tried, document) if maybe else None
                return found or system.push(document, tried)
            except Uncertain:
                maybe = True
            except Unavailable as error:
                self.clock.sleep(float(str(error.members.get("retry_after", 60))))
            system, quiet = self.system(), self.clock()
            self.long_lived = system
        raise AssertionError("never got through")

    def there(self) -> Counter[str]:
        """How often each key stands in the ERP, in the ledger and among the drafts."""
        org = self.app.world.organisation(seed.SHOP)
        names = [voucher.lines[0].comment for voucher in org.vouchers.values()]
        names += [draft.name for draft in org.drafts.values()]
        return Counter(name.rpartition(" ")[2] for name in names)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([("organisation", "ledger"), ("user", "ledger"), ("user", "inbox")]),
    st.integers(1, 4),
    faults,
)
def test_whatever_happens_each_settlement_is_there_once(
    way: tuple[str, str], count: int, struck: list[tuple[str, str, int]]
) -> None:
    hub = Hub(way[0])
    for operation, kind, after in struck:
        hub.app.faults.add(operation, kind, after=after, seconds=20)
    for number in range(1, count + 1):
        assert hub.send(number, way[1]).attached
    assert hub.there() == {f"EH-{number:026}": 1 for number in range(1, count + 1)}
