"""The stand-in ERP past the hub: as its administrator and its accountant see it, and as its own interface balances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

import httpx

from local.demo.hub import DemoFailed
from local.demo.shop import Sums

type Json = dict[str, Any]
_AUDIENCE = "https://api.24sevenoffice.com"


@dataclass(frozen=True)
class ErpBooks:
    """The books of the companies in the stand-in. Every method raises DemoFailed where it does not do as asked."""

    addresses: Json
    """Where its administration (`admin`), its sign-in (`login`) and its own interface (`rest`) are."""

    def company(self, company: int) -> Json:
        """A company with its vouchers, drafts, files and accounts."""
        organisations = self._call("GET", "/state")["organisations"]
        return next(one for one in organisations if one["id"] == company)

    def remove_account(self, company: int, number: int) -> None:
        """Somebody tidies up the chart of accounts."""
        self._call("POST", "/accounts", {"organisation": company, "number": number, "remove": True})

    def make_account(self, company: int, number: int, name: str) -> None:
        """The account is made, again."""
        self._call("POST", "/accounts", {"organisation": company, "number": number, "name": name})

    def lose_answer(self, after: int) -> None:
        """After so many vouchers more, the line breaks once the ERP has posted the next and before it answers."""
        fault = {"operation": "soap:SaveBundleList", "kind": "cut_after", "times": 1, "after": after}
        self._call("POST", "/faults", fault)

    def approve(self, company: int, entry: str) -> str:
        """The accountant approves a document's voucher in the inbox; its number in the ledger."""
        draft = self.draft(company, entry)
        made = self._call("POST", "/drafts/approve", {"organisation": company, "draft": draft["id"]})
        return ", ".join(str(one["number"]) for one in made["vouchers"])

    def move_line(self, company: int, entry: str, old: int, new: int) -> None:
        """The accountant moves what a voucher in the inbox has on an account to another."""
        draft = self.draft(company, entry)
        lines = [line for voucher in draft["vouchers"] for line in voucher["lines"]]
        moved = [{"line": place, "account": new} for place, line in enumerate(lines) if line["account"] == old]
        self._call("POST", "/drafts/edit", {"organisation": company, "draft": draft["id"], "lines": moved})

    def discard(self, company: int, entry: str) -> None:
        """The accountant throws a voucher in the inbox away."""
        self._call("POST", "/drafts/discard", {"organisation": company, "draft": self.draft(company, entry)["id"]})

    def draft(self, company: int, entry: str) -> Json:
        """The voucher of the inbox that carries a document's key."""
        found = drafts_of(self.company(company)["drafts"], entry)
        if len(found) != 1:
            raise DemoFailed(f"The ERP's inbox holds {len(found)} vouchers of document {entry} rather than one.")
        return found[0]

    def trial_balance(self, company: int, first: date, last: date) -> Sums:
        """What the ERP's own interface says was posted to each account between two days, both included."""
        signed = {
            "grant_type": "client_credentials", "client_id": "erp-hub", "client_secret": "hub-secret",
            "login_organization": str(company), "audience": _AUDIENCE,
        }  # fmt: skip
        days = {"dateFrom": first.isoformat(), "dateTo": last.isoformat()}
        try:
            token = (
                httpx.post(f"{self.addresses['login']}/oauth/token", data=signed, timeout=30).raise_for_status().json()
            )
            headers = {"Authorization": f"Bearer {token['access_token']}"}
            address = f"{self.addresses['rest']}/accountbalances"
            answer = httpx.get(address, params=days, headers=headers, timeout=30).raise_for_status()
        except httpx.HTTPError as error:
            raise DemoFailed(f"The stand-in ERP did not say its balances: {error}") from error
        return {
            int(one["account"]["number"]): sum((Decimal(str(month["change"])) for month in one["balances"]), Decimal())
            for one in cast(list[Json], answer.json(parse_float=Decimal))
        }

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            answer = httpx.request(method, self.addresses["admin"] + path, json=body, timeout=30).raise_for_status()
        except httpx.HTTPError as error:
            raise DemoFailed(f"The stand-in ERP did not do {method} {path}: {error}") from error
        return cast(Json, answer.json())


def vouchers_of(vouchers: Sequence[Json], entry: str) -> list[Json]:
    """The vouchers of the ledger that carry a document's key, on any of their lines."""
    return [one for one in vouchers if any(f"EH-{entry}" in line["comment"] for line in one["lines"])]


def drafts_of(drafts: Sequence[Json], entry: str) -> list[Json]:
    """The drafts of the inbox that hold a voucher with a document's key."""
    return [one for one in drafts if vouchers_of(one["vouchers"], entry)]


def sums(vouchers: Sequence[Json]) -> dict[int, Decimal]:
    """What vouchers come to on each account, debit positive."""
    found: dict[int, Decimal] = {}
    for line in (line for one in vouchers for line in one["lines"]):
        found[line["account"]] = found.get(line["account"], Decimal()) + Decimal(line["amount"])
    return {account: amount for account, amount in found.items() if amount}
