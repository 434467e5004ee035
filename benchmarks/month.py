"""A month of a chain: 60 shops times 31 days in one upload, posted within what the ERP allows.

The hub's own code with its tables in memory; its calls go over real sockets to the stand-in ERP, signed in as a user,
for whom 24SevenOffice allows 7,200 calls an hour and refuses everything beyond. The clock of both is simulated: each
call takes so long, and between two transfers it is moved to when the hub itself has planned the next one.
"""

import contextlib
import io
import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from erphub.erp import catalogue as erp
from erphub.erp.resources import AdapterResources
from erphub.erp.systems.twentyfourseven.rate_limits import SOAP_ALLOWED, InProcessRateLimiter
from erphub.erp.systems.twentyfourseven.tokens import InProcessTokenStore
from erphub.sync.transfers.settlement_pdf import render
from erphub.sync.uploads.schemas import NewUpload
from erphub.sync.uploads.service import upload_file_name
from local.erps.twentyfourseven import App, ledger, seed
from local.erps.twentyfourseven.server import Server
from tests.support import sync as support
from tests.support.aws import in_memory

SHOPS, FIRST, DAYS = 60, date(2026, 1, 1), 31
CALL_SECONDS = 0.3
"""How long a call of the ERP takes by the simulated clock: three a second, faster than is allowed."""
DEPARTMENTS = ("1", "2")
DEPARTMENT = ledger.DEPARTMENT
"""The dimension that is the department."""
ACCOUNTS = {"sales": {"25": "3000"}, "payment_means": {"cash": "1900"}}


class Chain(support.SyncHub):
    """The hub with the stand-in as its ERP, and a location for each shop."""

    def __post_init__(self) -> None:
        self.settings = {
            "company": str(seed.SHOP),
            "department": DEPARTMENTS[0],
            "voucher_type": "3",
            "invoice_mode": "off",
            "customer_direction": "off",
            "product_direction": "off",
            "accounts": ACCOUNTS,
            "locations": [
                {"departments": [shop_name(shop)], "department": DEPARTMENTS[shop % len(DEPARTMENTS)]}
                for shop in range(SHOPS)
            ],
        }
        super().__post_init__()


class Timed(httpx.HTTPTransport):
    """Real sockets, on each of which a call takes its time by the simulated clock."""

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self._clock.pass_(seconds=CALL_SECONDS)
        return super().handle_request(request)


@dataclass(frozen=True)
class Month:
    """What came of it."""

    documents: int
    transfers: int
    hours: float
    """From the word to read the upload until the last voucher had its PDF, by the simulated clock."""
    calls: Counter[datetime]
    """Calls of the ERP by clock hour."""
    refused: int
    """Calls that were one too many for the ERP."""


def shop_name(shop: int) -> str:
    """How the till names a shop."""
    return f"Butikk {shop + 1:02}"


def lines() -> bytes:
    """The upload: a settlement for each shop and day, all of one amount each."""
    documents = [
        {"kind": "settlement", "external_id": f"{shop}-{day + 1}", "department": shop_name(shop), "till": "1"}
        | support.z_report(day + 1, (FIRST + timedelta(days=day)).isoformat(), f"{100 + shop}.00")
        for day in range(DAYS)
        for shop in range(SHOPS)
    ]
    return "\n".join(map(json.dumps, documents)).encode()


def play() -> Month:
    """Upload, transfer until nothing is left, and compare. Raises RuntimeError when anything does not add up."""
    app, clock = App.seeded(), support.Clock(datetime(2026, 2, 1, 8, 0, tzinfo=UTC))
    app.world.clock = clock
    with in_memory(), Server(app) as server, contextlib.redirect_stdout(io.StringIO()):
        resources = AdapterResources(
            InProcessTokenStore(),
            InProcessRateLimiter(clock),
            clock,
            addresses={"24sevenoffice": server.url},
            applications={"24sevenoffice": seed.APPLICATION_ID},
            pause=lambda seconds: clock.pass_(seconds=seconds),
        )
        settings = {"sign_in": "user", "username": seed.USER, "has_several_companies": True}
        secret = {"password": seed.PASSWORD}
        system = erp.open_system("24sevenoffice", settings, secret, transport=Timed(clock), resources=resources)
        hub = _hub(system, clock)
        made, _ = hub.uploads.create(support.CLIENT, support.CONNECTION, "till", NewUpload.model_validate({}))
        hub.files.files[upload_file_name(made)] = lines()
        hub.uploads.start(support.CLIENT, support.CONNECTION, made.id)
        begun, transfers = clock(), 0
        hub.work(10_000)
        while _waiting(hub):
            planned = hub.sync().next_at
            if planned is None or transfers > 100:
                raise RuntimeError(f"after {transfers} transfers {_waiting(hub)} documents wait and none is planned")
            clock.now = max(clock.now, planned)
            transfers += hub.scheduler.tick()["started"]
            hub.work(10_000)
        _compare(hub, app)
        hours = (clock() - begun).total_seconds() / 3600
        called: Counter[datetime] = Counter()
        for (_, hour), count in app.world._hours.items():  # pyright: ignore[reportPrivateUsage]
            called[hour] += count
        refused = sum(max(0, count - app.world.soap_per_hour) for count in called.values())
        return Month(SHOPS * DAYS, transfers, hours, called, refused)


def _hub(system: Any, clock: Any) -> Chain:
    kept = support.LedgerErp
    support.LedgerErp = lambda _clock: system  # pyright: ignore
    try:
        return Chain(clock=clock, pdf=render)
    finally:
        support.LedgerErp = kept


def _waiting(hub: Chain) -> int:
    """How many documents have not come to their end."""
    queues = ("pending", "sending", "uncertain", "attach")
    return sum(hub.entries.count(support.CLIENT, support.CONNECTION, queue) for queue in queues)


def _compare(hub: Chain, app: App) -> None:
    """Each settlement is in the ledger once, in its shop's department. Raises RuntimeError."""
    found: Counter[tuple[date, Decimal, str]] = Counter()
    for voucher in app.world.organisation(seed.SHOP).vouchers.values():
        debit = max(voucher.lines, key=lambda line: line.amount)
        found[debit.day, debit.amount, dict(debit.dimensions).get(DEPARTMENT, "")] += 1
    expected = Counter(
        (FIRST + timedelta(days=day), Decimal(100 + shop), DEPARTMENTS[shop % len(DEPARTMENTS)])
        for day in range(DAYS)
        for shop in range(SHOPS)
    )
    sent = hub.entries.count(support.CLIENT, support.CONNECTION, "sent")
    if sent != SHOPS * DAYS or any(found[key] != count for key, count in expected.items()):
        raise RuntimeError(f"{sent} were sent; the ledger lacks {expected - found}, and has {found - expected}")


def report() -> str:
    """The month as a section of the results."""
    month = play()
    most = max(month.calls.values())
    listed = ", ".join(f"{count:,}" for _, count in sorted(month.calls.items()))
    return "\n".join(
        [
            f"{SHOPS} shops × {DAYS} days in one upload of JSON lines, to 24SevenOffice's ledger over SOAP, whose limit"
            f" is {SOAP_ALLOWED:,} calls an hour; a call takes {CALL_SECONDS} s of a simulated clock, the sockets are"
            " real. `python -m benchmarks.month`",
            "",
            "| documents posted | transfers | hours | calls of the ERP | a document | most in an hour | refused |",
            "|---:|---:|---:|---:|---:|---:|---:|",
            f"| {month.documents:,} | {month.transfers} | {month.hours:.1f} | {month.calls.total():,} |"
            f" {month.calls.total() / month.documents:.1f} | {most:,} | {month.refused} |",
            "",
            f"By clock hour: {listed}. Each is in the ledger once.",
        ]
    )


if __name__ == "__main__":
    print(report())
