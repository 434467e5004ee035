"""A till at the deployed hub, with a connection to the 24SevenOffice that stands in, and a look into its ledger."""

from decimal import Decimal
from typing import Any

import httpx

from tests.e2e.waiting import until
from tests.e2e.wizard import WizardUser

ORGANISATION = "100002"
SETTINGS: dict[str, Any] = {
    "department": "1",
    "voucher_type": "3",
    "z_report": True,
    "settlement_target": "ledger",
    "confirm_ledger": True,
    "invoice_mode": "draft",
    "customer_direction": "till",
    "product_direction": "till",
    "from_date": "2026-01-01",
    "is_automatic": False,
    "accounts": {
        "sales": {"25": "3000", "15": "3001"},
        "payment_means": {"cash": "1900", "bankaxept": "1920", "card": "2380", "rounding": "7740"},
    },
}


def connect(hub: Any, name: str = "Till") -> "Till":
    """A till of a new customer that has connected one of the stand-in's organisations through the wizard."""
    user = WizardUser.of_a_new_customer(hub).start("24sevenoffice")
    signed = {
        "sign_in": "organisation",
        "organisation_id": ORGANISATION,
        "client_id": "erp-hub",
        "client_secret": "hub-secret",
    }
    wizard = user.answer("sign-in", signed)
    answers: dict[str, Any] = {
        "companies": {"companies": "all"},
        "departments": {"departments": "all"},
        "name": {"name": user.unused(name)},
        "vouchers": {"voucher_provider": "none"},
        "finish": {},
    }
    while wizard["status"] == "waiting":
        assert not wizard.get("problem"), wizard
        assert wizard["step"] in answers, wizard
        wizard = user.answer(wizard["step"], answers.pop(wizard["step"]))
    assert wizard["status"] == "finished", wizard
    return Till(hub, user.client, wizard["connection_id"])


class Till:
    """Speaks to the hub as a till and its people do, over HTTP."""

    def __init__(self, hub: Any, client: str, connection: str) -> None:
        self.hub = hub
        self.client = client
        self.connection = connection
        self.erp = hub.described["stand_ins"]["24sevenoffice"]

    def call(self, method: str, path: str, *, status: int | None = None, **more: Any) -> Any:
        answer = self.hub.call(method, f"/clients/{self.client}/connections/{self.connection}{path}", **more)
        assert status is None or answer.status_code == status, (answer.status_code, answer.text)
        return answer if status is None else answer.json()

    def set_up(self, **changes: Any) -> dict[str, Any]:
        """Save the settings."""
        return self.call("PUT", "/sync", json=SETTINGS | changes, status=200)

    def settlement(self, number: int, day: str, amount: str = "125.00", means: str = "cash", **more: Any) -> Any:
        vat = (Decimal(amount) / 5).quantize(Decimal("0.01"))
        body = {
            "date": day,
            "number": number,
            "sales": [{"vat_rate": "25", "amount": amount, "vat": str(vat)}],
            "payments": [{"means": means, "amount": amount}],
        }
        return self.call("PUT", f"/documents/settlement/Z{number}", json=body, **({"status": 200} | more))

    def transfer(self, **wanted: Any) -> dict[str, Any]:
        started = self.call("POST", "/transfers", json=wanted, status=202)
        return self.ended(started["id"])

    def ended(self, transfer: str) -> dict[str, Any]:
        return until(lambda: self._finished(transfer))

    def _finished(self, transfer: str) -> dict[str, Any] | None:
        found = self.call("GET", f"/transfers/{transfer}", status=200)
        return found if found["finished_at"] else None

    def entry(self, external_id: str) -> dict[str, Any]:
        items = self.call("GET", f"/export-log?text={external_id}&limit=200", status=200)["items"]
        [found] = [item for item in items if item["external_id"] == external_id]
        return found

    def fault(self, operation: str, kind: str, times: int = 1, **more: Any) -> None:
        fault = {"operation": operation, "kind": kind, "times": times} | more
        httpx.post(f"{self.erp['admin']}/faults", json=fault, timeout=10).raise_for_status()

    def mend(self) -> None:
        httpx.delete(f"{self.erp['admin']}/faults", timeout=10)

    def vouchers(self, number: int, day: str) -> list[dict[str, Any]]:
        """The vouchers in the ERP's ledger that carry the settlement's key."""
        key = f"EH-{self.entry(f'Z{number}')['id']}"
        state = httpx.get(f"{self.erp['admin']}/state", timeout=20).json()
        [organisation] = [one for one in state["organisations"] if str(one["id"]) == ORGANISATION]
        return [voucher for voucher in organisation["vouchers"] if key in str(voucher)]
