"""24SevenOffice on the deployed hub: connected both ways, its ledger imported, its tokens seen nowhere."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.e2e.wizard import WizardUser

ORGANISATION = {"sign_in": "organisation", "organisation_id": "100001", "client_id": "erp-hub"}
USER = {"sign_in": "user", "username": "ola@fjell.example", "password": "riktig-passord"}


@pytest.fixture
def person(hub: Any) -> WizardUser:
    """Of a new customer, as the tests of this hub share the stand-in's companies."""
    return WizardUser.of_a_new_customer(hub).start("24sevenoffice")


def failed(wizard: dict[str, Any]) -> dict[str, Any]:
    return next(probe for probe in wizard["probes"] if probe["outcome"] == "failed")


def finish(person: WizardUser, wizard: dict[str, Any], name: str, companies: Any = "all") -> str:
    answers = {
        "companies": {"companies": companies},
        "departments": {"departments": ["100001/1"]},
        "name": {"name": person.unused(name)},
        "finish": {},
    }
    while wizard["status"] == "waiting":
        if wizard["step"] == "departments":
            choose_among_departments(person)
        wizard = person.answer(wizard["step"], answers.pop(wizard["step"]))
        assert not wizard.get("problem"), wizard
    return wizard["connection_id"]


def choose_among_departments(person: WizardUser) -> None:
    """They are listed, and listed anew when somebody asks for it."""
    listed = [("100001/1", "Oslo"), ("100001/2", "Bergen")]
    for _ in range(2):
        found = person.call("GET", f"{person.path}/choices/departments").json()["items"]
        assert [(one["key"], one["name"]) for one in found if one["company_key"] == "100001"] == listed
        refreshed = person.call("POST", f"{person.path}/steps/departments/refresh")
        assert refreshed.status_code == 202, refreshed.text
        assert person.settled()["step"] == "departments"


def departments_offered(person: WizardUser, connection: str) -> list[str]:
    settings = {"from_date": "2026-01-01", "company": "100001"}
    tested = person.call("POST", f"/connections/{connection}/sync/test", json=settings).json()
    return [one["key"] for one in tested["choices"]["departments"]]


def first_run(person: WizardUser, connection: str, eventually: Callable[..., Any]) -> dict[str, Any]:
    jobs = person.call("GET", "/import-jobs?limit=200").json()["items"]
    mine = [job["id"] for job in jobs if job["connection_id"] == connection]
    assert len(mine) == 3

    def ended() -> dict[str, Any] | None:
        for job in mine:
            for run in person.call("GET", f"/import-jobs/{job}/runs").json()["items"]:
                if run["status"] not in {"queued", "running"}:
                    return person.call("GET", f"/import-jobs/{job}/runs/{run['id']}").json()
        return None

    return eventually(ended)


def ledger_there(hub: Any, organisation: int = 100001) -> tuple[int, Decimal]:
    state = httpx.get(hub.described["stand_ins"]["24sevenoffice"]["admin"] + "/state", timeout=30).json()
    org = next(one for one in state["organisations"] if one["id"] == organisation)
    lines = [Decimal(line["amount"]) for voucher in org["vouchers"] for line in voucher["lines"]]
    return len(lines), sum((abs(amount) for amount in lines), Decimal(0))


def ledger_here(person: WizardUser, connection: str) -> tuple[int, Decimal]:
    rows: list[dict[str, Any]] = []
    following: str | None = ""
    while following is not None:
        query = (
            f"/datasets/gl_transactions/rows?limit=200&company_key=100001{f'&next={following}' if following else ''}"
        )
        page = person.call("GET", query).json()
        rows += [row for row in page["items"] if row["connection"] == connection]
        following = page["next"]
    return len(rows), sum((abs(Decimal(row["amount"])) for row in rows), Decimal(0))


def test_an_organisation_is_connected_and_its_ledger_arrives_whole(
    hub: Any, person: WizardUser, eventually: Callable[..., Any]
) -> None:
    wrong = person.answer("sign-in", ORGANISATION | {"client_secret": "feil"})
    assert (failed(wrong)["stage"], failed(wrong)["code"]) == ("login", "credentials_refused")
    right = person.answer("sign-in", ORGANISATION | {"client_secret": "hub-secret"})
    assert (right["step"], right["problem"]) == ("companies", None)
    assert [probe["stage"] for probe in right["probes"]] == [
        "dns", "tcp", "login", "databases", *["permissions"] * 5, "read",
    ]  # fmt: skip
    assert [probe["area"] for probe in right["probes"] if probe["area"]] == [
        "Accounting", "Admin", "CRM", "Products", "Invoicing",
    ]  # fmt: skip
    connection = finish(person, right, "By organisation")
    assert departments_offered(person, connection) == ["1"], "a sync chooses among the connection's departments"
    run = first_run(person, connection, eventually)
    assert run["status"] == "succeeded", run
    assert {unit["dataset_id"] for unit in run["units"]["items"]} >= {
        "accounts",
        "gl_transactions",
        "customers",
        "dimensions",
    }
    assert ledger_here(person, connection) == ledger_there(hub)


def test_a_user_chooses_among_companies_and_no_token_is_seen_anywhere(
    hub: Any, person: WizardUser, eventually: Callable[..., Any]
) -> None:
    one = person.answer("sign-in", USER)
    assert failed(one)["code"] == "company_must_be_chosen"
    several = person.answer("sign-in", USER | {"has_several_companies": True})
    found = person.call("GET", f"{person.path}/companies").json()["items"]
    assert {company["key"] for company in found} == {"100001", "100002"}
    connection = finish(person, several, "By user", ["100001"])
    run = first_run(person, connection, eventually)
    assert run["status"] == "succeeded", run
    assert ledger_here(person, connection) == ledger_there(hub)

    tokens = [item for item in hub.items() if item["sk"]["S"].startswith("TOKEN#")]
    assert tokens
    plain = {"pk", "sk", "pieces", "expires_at", "lease_holder", "lease_until", "write_id"}
    assert [set(item) - plain for item in tokens] == [set()] * len(tokens)
    state = httpx.get(hub.described["stand_ins"]["24sevenoffice"]["admin"] + "/state", timeout=30).json()
    secrets = ["riktig-passord", *(str(one) for one in state.get("session_ids", []))]
    everything = [*person.said, *map(repr, hub.items()), *hub.logs(), *map(repr, hub.histories())]
    for secret in secrets:
        assert not [text for text in everything if secret in text]
