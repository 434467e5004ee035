"""Documents a second through a transfer, against plain httpx loops that post the same vouchers to the same stand-in.

The plain loop does what a script would: one token, one POST per voucher, no look, no log, no PDF. The second makes and
uploads the settlement's PDF too. Ours is the hub's whole way: claim, PDF, voucher, attempt and outcome kept (tables in
memory, so that DynamoDB's distance does not count). All run in this process, in turns, over the same WSGI stand-in,
which answers at once: over a real network the calls count (one for the plain loop, four with a PDF), not the code.
"""

import contextlib
import io
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from statistics import median
from typing import Any

import httpx

from erphub.erp import catalogue as erp
from erphub.erp.documents import DocumentKind, Settlement
from erphub.sync.canonical import read_document
from erphub.sync.transfers.settlement_pdf import render
from local.erps.twentyfourseven import App, Transport
from tests.support import sync as support
from tests.support.aws import in_memory

SETTINGS: dict[str, Any] = {
    "department": "1",
    "voucher_type": "3",
    "company": "",
    "customers": "off",
    "products": "off",
    "invoice_mode": "off",
    "accounts": {"sales": {"25": "3000"}, "payment_means": {"cash": "1900"}},
}
WITHOUT, WITH, OURS = "plain loop, no PDF", "plain loop with PDF", "a transfer of the hub"
REST = "https://rest.api.24sevenoffice.com/v1"
SIGN_IN = {"sign_in": "organisation", "organisation_id": "100001", "client_id": "erp-hub"}


class Here(support.SyncHub):
    """The hub with the stand-in as its ERP."""

    def __post_init__(self) -> None:
        self.settings = dict(SETTINGS)
        super().__post_init__()


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock on the wall, and of the processor."""

    wall: float
    cpu: float


@contextlib.contextmanager
def timed(spent: list[Spent]) -> Generator[None]:
    """Adds what the block took."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    spent.append(Spent(time.perf_counter() - wall, time.process_time() - cpu))


def ours(app: App, count: int) -> Spent:
    """Seconds for a transfer of so many settlements."""
    system = erp.open_system("24sevenoffice", SIGN_IN, {"client_secret": "hub-secret"}, transport=Transport(app))
    took: list[Spent] = []
    with in_memory():
        hub = _hub(system)
        for number in range(1, count + 1):
            hub.settlement(number)
        with contextlib.redirect_stdout(io.StringIO()), timed(took):
            transfer = hub.transfer(seconds=10_000)
    if transfer.counts.sent != count:
        raise RuntimeError(f"{transfer.counts} of {count} documents: {transfer.problem}")
    return took[0]


def _hub(system: Any) -> support.SyncHub:
    kept = support.LedgerErp
    support.LedgerErp = lambda _clock: system  # pyright: ignore
    try:
        return Here(pdf=render)
    finally:
        support.LedgerErp = kept


def plain(app: App, count: int, *, with_pdf: bool = False) -> Spent:
    """Seconds for a loop of httpx over the same vouchers."""
    with httpx.Client(transport=Transport(app)) as http:
        headers = {"Authorization": f"Bearer {_token(http)}"}
        took: list[Spent] = []
        with timed(took):
            for number in range(count):
                voucher: dict[str, Any] = {
                    "transactionTypeNumber": 3,
                    "date": "2026-01-31",
                    "comment": f"Z{number}",
                    "lines": [
                        {"accountNumber": 3000, "amount": -125.0, "tax": {"number": 3}},
                        {"accountNumber": 1900, "amount": 125.0, "tax": {"number": 0}},
                    ],
                }
                if with_pdf:
                    voucher["documentId"] = _upload(http, headers, number)
                http.post(f"{REST}/transactions", json=voucher, headers=headers).raise_for_status()
        return took[0]


def _token(http: httpx.Client) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": "erp-hub",
        "client_secret": "hub-secret",
        "login_organization": "100001",
        "audience": "https://api.24sevenoffice.com",
    }
    return http.post("https://login.24sevenoffice.com/oauth/token", data=form).json()["access_token"]


def _upload(http: httpx.Client, headers: dict[str, str], number: int) -> int:
    settlement = read_document(DocumentKind.SETTLEMENT, support.z_report(number + 1))
    assert isinstance(settlement, Settlement)
    slot = http.post(f"{REST}/fileUpload", json={"contentType": "application/pdf"}, headers=headers).json()
    http.put(slot["uploadUrl"], content=render(settlement), headers={"Content-Type": "application/pdf"})
    return http.get(f"{REST}/fileUpload/{slot['fileId']}", headers=headers).json()["documentId"]


def report(count: int = 200, rounds: int = 3) -> str:
    """Both speeds and their ratio, by processor time and by the clock on the wall."""
    ways: dict[str, Callable[[], Spent]] = {
        WITHOUT: lambda: plain(App.seeded(), count),
        WITH: lambda: plain(App.seeded(), count, with_pdf=True),
        OURS: lambda: ours(App.seeded(), count),
    }
    plain(App.seeded(), 2, with_pdf=True)  # whatever is imported at the first call counts for nobody
    ours(App.seeded(), 2)
    times: dict[str, list[Spent]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(way())
    wall = {name: count / median(one.wall for one in spent) for name, spent in times.items()}
    cpu = {name: median(one.cpu for one in spent) / count for name, spent in times.items()}
    lines = [
        f"{count} settlements, medians of {rounds}, in turns; the hub, the loop and the stand-in ERP share one process,"
        " so over a network the calls count (1, 4 and 4 a document), not this.",
        "",
        "| way | documents/s | of the loop with PDF | CPU ms a document | loop with PDF takes so much of it |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {speed:,.0f} | {speed / wall[WITH]:.2f} | {cpu[name] * 1000:.2f} | {cpu[WITH] / cpu[name]:.2f} |"
        for name, speed in wall.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
