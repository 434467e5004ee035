"""Documents a second through a transfer, against plain httpx loops that post the same vouchers to the same stand-in.

The plain loop does what a script would: one token, one POST per voucher, no look, no log, no PDF. The second makes and
uploads the settlement's PDF too. Ours is the hub's whole way: claim, PDF, voucher, attempt and outcome kept (tables in
memory, so that DynamoDB's distance does not count). All run in this process, in turns, over the same WSGI stand-in,
which answers at once: over a real network the calls count (one for the plain loop, four with a PDF), not the code.
"""

import contextlib
import io
import time
from statistics import median
from typing import Any

import httpx

from erphub import erp
from erphub.models.document import DocumentKind, Settlement
from erphub.paperwork import read_document
from erphub.settlement_pdf import render
from local.erps.twentyfourseven import App, Transport
from tests.unit.sync import conftest as house

SETTINGS: dict[str, Any] = {
    "department": "1",
    "voucher_type": "3",
    "company": "",
    "customers": "off",
    "products": "off",
    "invoices": "off",
    "accounts": {"sales": {"25": "3000"}, "means": {"cash": "1900"}},
}
WITHOUT, WITH, OURS = "plain loop, no PDF", "plain loop with PDF", "a transfer of the hub"
REST = "https://rest.api.24sevenoffice.com/v1"
SIGN_IN = {"sign_in": "organisation", "organisation_id": "100001", "client_id": "erp-hub"}


class Here(house.World):
    """The hub with the stand-in as its ERP."""

    def __post_init__(self) -> None:
        self.settings = dict(SETTINGS)
        super().__post_init__()


def ours(app: App, count: int) -> float:
    """Seconds for a transfer of so many settlements."""
    system = erp.open_system("24sevenoffice", SIGN_IN, {"client_secret": "hub-secret"}, transport=Transport(app))
    world = _world(system)
    for number in range(1, count + 1):
        world.settlement(number)
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        transfer = world.transfer(seconds=10_000)
    spent = time.perf_counter() - started
    assert transfer.counts.sent == count, (transfer.counts, transfer.problem)
    return spent


def _world(system: Any) -> house.World:
    kept = house.LedgerErp
    house.LedgerErp = lambda _clock: system  # pyright: ignore
    try:
        return Here(render=render)
    finally:
        house.LedgerErp = kept


def plain(app: App, count: int, *, with_pdf: bool = False) -> float:
    """Seconds for a loop of httpx over the same vouchers."""
    with httpx.Client(transport=Transport(app)) as http:
        headers = {"Authorization": f"Bearer {_token(http)}"}
        started = time.perf_counter()
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
        return time.perf_counter() - started


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
    settlement = read_document(DocumentKind.SETTLEMENT, house.z_report(number + 1))
    assert isinstance(settlement, Settlement)
    slot = http.post(f"{REST}/fileUpload", json={"contentType": "application/pdf"}, headers=headers).json()
    http.put(slot["uploadUrl"], content=render(settlement), headers={"Content-Type": "application/pdf"})
    return http.get(f"{REST}/fileUpload/{slot['fileId']}", headers=headers).json()["documentId"]


def main(count: int = 200, rounds: int = 3) -> None:
    """Print both speeds and their ratio."""
    times: dict[str, list[float]] = {WITHOUT: [], WITH: [], OURS: []}
    for _ in range(rounds):
        times[WITHOUT].append(plain(App.seeded(), count))
        times[WITH].append(plain(App.seeded(), count, with_pdf=True))
        times[OURS].append(ours(App.seeded(), count))
    speeds = {name: count / median(spent) for name, spent in times.items()}
    print("| way | documents a second | of the loop with PDF |\n|---|---:|---:|")
    for name, speed in speeds.items():
        print(f"| {name} | {speed:,.0f} | {speed / speeds[WITH]:.2f} |")


if __name__ == "__main__":
    main()
