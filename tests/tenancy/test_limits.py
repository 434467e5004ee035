"""Limits: each of the manifests' is reached one by one; twice at once does not exceed it; a failure loses no place."""

import re
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any

import pytest

from erphub import app, capabilities
from erphub.erp.system import FoundCompany
from erphub.platform.aws.limits import LimitTable, StoredCount
from erphub.platform.aws.table import Table, make_key
from erphub.platform.capability import Limit, LimitKind, LimitScope
from erphub.platform.errors import LimitReached, TooMany, Unavailable
from erphub.platform.http.request_limits import BATCH
from erphub.platform.ids import new_id, repeatable
from erphub.platform.limits import RESERVED_FOR, Limits, Owner
from erphub.platform.settings import read_settings
from erphub.tenancy.capability import WAITS
from erphub.tenancy.limits import TenantLimits
from erphub.webhooks.capability import WEBHOOKS
from erphub.wizards.capability import CHOICES_FOUND, COMPANIES_FOUND, WIZARDS
from tests.support import services
from tests.support.aws import AWS, TENANTS, make_table
from tests.support.dialogue import SERVER, Wizard
from tests.support.hub import ADMINISTRATOR, NEIGHBOUR, VIEWER, Answer, Hub
from tests.support.receiver import HOST
from tests.support.whole import OPERATOR

MOST = 3
USER = {"sign_in": "user", "username": "ola@example.test", "password": "right", "has_several_companies": True}


def crm_records(hub: Hub, _: str, number: int) -> Answer:
    body = {"crm": "superoffice", "fields": {"NAME": f"Customer {number}"}}
    return hub.call("PUT", hub.in_client(f"/crm-records/company/{number}"), body)


def wizards(hub: Hub, _: str, number: int) -> Answer:
    return hub.call("POST", hub.in_client("/wizards"), {"erp_system": "visma-business"})


def connections(hub: Hub, _: str, number: int) -> Answer:
    """The last answer of a wizard; one that may not end is told so where it waits."""
    hub.system.installation = f"installation-{number}"
    wizard = Wizard(hub).until("companies")
    wizard.answer("name", {"name": f"Office {number}"})
    wizard.answer("vouchers", {"voucher_provider": "none"})
    now = wizard.answer("finish", {})
    if now["status"] == "finished":
        return Answer(201, now, {}, "")
    assert now["step"] == "finish"
    return Answer(now["problem"]["status"], now["problem"], {}, "")


def connection_tests(hub: Hub, connection: str, number: int) -> Answer:
    return hub.call("POST", hub.in_client(f"/connections/{connection}/test"))


def webhooks(hub: Hub, _: str, number: int) -> Answer:
    return hub.call(
        "POST", hub.in_client("/webhooks"), {"url": f"https://{HOST}/{number}", "events": ["import.failed"]}
    )


def import_jobs(hub: Hub, connection: str, number: int) -> Answer:
    job = {"name": f"Job {number}", "connection_id": connection, "period": {"kind": "everything"}}
    return hub.call("POST", hub.in_client("/import-jobs"), job)


def concurrent_runs(hub: Hub, connection: str, number: int) -> Answer:
    if number == 0:
        assert import_jobs(hub, connection, 0).status == 201
    job = hub.call("GET", hub.in_client("/import-jobs")).json["items"][0]["id"]
    return hub.call("POST", hub.in_client(f"/import-jobs/{job}/runs"))


def documents_per_day(hub: Hub, connection: str, number: int) -> Answer:
    path = hub.in_client(f"/connections/{connection}/documents/customer/K-{number}")
    return hub.call("PUT", path, {"name": "Kari Nordmann"})


def uploads_per_day(hub: Hub, connection: str, number: int) -> Answer:
    return hub.call("POST", hub.in_client(f"/connections/{connection}/document-uploads"), {"format": "json_lines"})


def clients(hub: Hub, _: str, number: int) -> Answer:
    return hub.call("POST", f"/customers/{hub.customer}/clients", {"name": f"Client {number}"})


def requests(hub: Hub, _: str, number: int) -> Answer:
    return hub.call("GET", hub.in_client("/connections"))


def api_keys(hub: Hub, _: str, number: int) -> Answer:
    return hub.call("POST", hub.in_client("/api-keys"), {"name": f"Till {number}", "role": "viewer"})


def invitations(hub: Hub, _: str, number: int) -> Answer:
    return hub.call("PUT", hub.in_client(f"/members/new-{number}@example.test"), {"role": "viewer"})


ADDS: dict[str, Callable[[Hub, str, int], Answer]] = {
    "api_keys": api_keys,
    "caller_invitations_per_day": invitations,
    "caller_requests_per_minute": requests,
    "clients": clients,
    "concurrent_runs": concurrent_runs,
    "connection_tests_per_hour": connection_tests,
    "connections": connections,
    "crm_records": crm_records,
    "documents_per_day": documents_per_day,
    "invitations_per_day": invitations,
    "import_jobs": import_jobs,
    "requests_per_minute": requests,
    "uploads_per_day": uploads_per_day,
    "webhooks": webhooks,
    "wizards": wizards,
}
"""How one more of each is made: a limit that is declared without a word here fails."""


def used(hub: Hub, name: str) -> int:
    asking = ADMINISTRATOR if name == "caller_invitations_per_day" else VIEWER
    listed = hub.call("GET", hub.in_client("/limits"), user=asking).json["items"]
    return next(one["used"] for one in listed if one["name"] == name)


COUNTED = sorted(
    one.name
    for one in capabilities.limits().values()
    if one.kind in (LimitKind.STOCK, LimitKind.RATE)
    and one is not WAITS  # beyond it nobody is refused, only answered at once: tests/contract/test_waiting.py
)


@pytest.mark.parametrize("name", COUNTED)
def test_each_limit_is_reached_and_holds(whole: Hub, connection: str, name: str) -> None:
    limit = capabilities.limits()[name]
    owner = {LimitScope.CLIENT: whole.client, LimitScope.CUSTOMER: whole.customer, LimitScope.CALLER: ADMINISTRATOR}
    before, start = used(whole, name), Owner(limit.scope, owner[limit.scope])
    app.services().get(TenantLimits).set_maximum(limit, start, before + MOST)
    answers = [ADDS[name](whole, connection, number) for number in range(MOST + BATCH + 2)]
    good = [one for one in answers if one.status < 300]
    refused = [one for one in answers if one.status >= 300]
    assert answers == good + refused, [one.status for one in answers]
    # A process counts requests ten at a time, and reading the list is one; of all else there are exactly so many.
    assert len(good) in (range(MOST - 1, MOST + BATCH + 1) if "requests" in name else (MOST,))
    assert refused
    for answer in refused:
        rate = limit.kind is LimitKind.RATE
        assert (answer.status, answer.code) == (429 if rate else 409, "limit_reached"), answer.text
        assert (answer.json["limit"], answer.json["maximum"]) == (name, before + MOST)
        assert not rate or 0 < int(answer.headers["Retry-After"]) == answer.json["retry_after"] <= limit.seconds
    if "requests" not in name:
        assert used(whole, name) == before + MOST


@pytest.mark.parametrize("name", [one for one in COUNTED if capabilities.limits()[one].kind is LimitKind.RATE])
def test_a_rate_begins_anew_with_its_window(whole: Hub, connection: str, name: str) -> None:
    limit = capabilities.limits()[name]
    owner = {LimitScope.CLIENT: whole.client, LimitScope.CALLER: ADMINISTRATOR}[limit.scope]
    app.services().get(TenantLimits).set_maximum(limit, Owner(limit.scope, owner), 1 + used(whole, name))
    last = [ADDS[name](whole, connection, number) for number in range(BATCH + 3)][-1]
    assert last.status == 429
    name, left, seconds = re.findall(r'"(\w+)";r=(\d+);t=(\d+)', last.headers["RateLimit"])[-1]
    assert (name, left, seconds) == (last.json["limit"], "0", last.headers["Retry-After"])
    assert f'"{name}";q={last.json["maximum"]};w={limit.seconds}' in last.headers["RateLimit-Policy"]
    whole.pass_time(seconds=int(last.headers["Retry-After"]))
    assert ADDS[name](whole, connection, 99).status < 300


def test_every_limit_is_told_with_what_is_used_of_it(whole: Hub) -> None:
    listed = whole.call("GET", whole.in_client("/limits"), user=VIEWER)
    assert listed.status == 200
    assert {one["name"]: one["maximum"] for one in listed.json["items"]} == {
        one.name: one.maximum for one in capabilities.limits().values()
    }
    for one in listed.json["items"]:
        assert (one["used"] is None) == (one["kind"] in ("size", "refusals"))
        assert (one["resets_at"] is None) == (one["kind"] != "rate")


def set_limit(hub: Hub, name: str, maximum: int | None, **more: Any) -> Answer:
    body = {"maximum": maximum} | {key: value for key, value in more.items() if key == "client_id"}
    path = f"/customers/{more.get('customer_id', hub.customer)}/limits/{name}"
    return hub.call("PUT", path, body, user=more.get("user", OPERATOR))


def test_operators_alone_set_a_limit_of_one_client(whole: Hub) -> None:
    mine = {"client_id": whole.client}
    assert set_limit(whole, "webhooks", 0, user=ADMINISTRATOR, **mine).status == 403
    assert set_limit(whole, "webhooks", 0, **mine).json["maximum"] == 0
    refused = webhooks(whole, "", 1)
    assert (refused.status, refused.code, refused.json["maximum"]) == (409, "limit_reached", 0)
    body = {"url": f"https://{HOST}/1", "events": ["import.failed"]}
    assert whole.call("POST", f"/clients/{whole.other_client}/webhooks", body, user=NEIGHBOUR).status == 201
    assert set_limit(whole, "webhooks", None, **mine).json["maximum"] == WEBHOOKS.maximum
    assert webhooks(whole, "", 2).status == 201


def test_a_limit_is_set_where_it_belongs(whole: Hub) -> None:
    mine, stranger = {"client_id": whole.client}, {"customer_id": new_id()}
    assert set_limit(whole, "clients", 1, **mine).code == "limit_of_another"
    assert set_limit(whole, "webhooks", 1).code == "limit_of_another"
    assert set_limit(whole, "wheels", 1).code == "limit_not_found"
    assert set_limit(whole, "clients", 1, **stranger).code == "customer_not_found"
    assert set_limit(whole, "webhooks", 1, client_id=new_id()).json["errors"][0]["code"] == "client_not_found"
    assert set_limit(whole, "clients", 2).status == 200
    assert clients(whole, "", 1).status == 409


def test_what_goes_makes_room(whole: Hub) -> None:
    limits, owner = app.services().get(TenantLimits), Owner(LimitScope.CLIENT, whole.client)
    for limit in (WEBHOOKS, WIZARDS):
        limits.set_maximum(limit, owner, 1)
    first, wizard = webhooks(whole, "", 1), wizards(whole, "", 1)
    assert (webhooks(whole, "", 2).status, wizards(whole, "", 2).status) == (409, 409)
    whole.call("DELETE", whole.in_client(f"/webhooks/{first.json['id']}"))
    whole.call("DELETE", whole.in_client(f"/wizards/{wizard.json['id']}"))
    assert (webhooks(whole, "", 3).status, wizards(whole, "", 3).status) == (201, 201)


def test_a_request_that_comes_again_takes_one_place(whole: Hub) -> None:
    app.services().get(TenantLimits).set_maximum(WEBHOOKS, Owner(LimitScope.CLIENT, whole.client), 1)
    body, key = {"url": f"https://{HOST}/1", "events": ["import.failed"]}, {"idempotency-key": "once"}
    answers = [whole.call("POST", whole.in_client("/webhooks"), body, headers=key) for _ in range(2)]
    assert [one.status for one in answers] == [201, 201]
    assert answers[0].json["id"] == answers[1].json["id"]


def test_the_deployment_says_otherwise_for_everybody(whole: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings({"LIMITS": "webhooks=1,clients=7"})
    platform = app.services().platform
    platform.settings = replace(platform.settings, limits=settings.limits)
    services.use(monkeypatch, {})
    assert [webhooks(whole, "", number).status for number in range(2)] == [201, 409]


def companies_found(whole: Hub) -> None:
    app.services().get(TenantLimits).set_maximum(COMPANIES_FOUND, Owner(LimitScope.CLIENT, whole.client), 5)
    whole.system.found = [
        FoundCompany(f"F{n:05}", f"Company {n}", attributes={"database": f"F{n:05}"}) for n in range(40)
    ]
    wizard = Wizard(whole)
    now = wizard.answer("server", SERVER)
    assert len(wizard.companies(limit="100").json["items"]) == 5
    assert "35 companies more" in now["notice"]
    looked = whole.call("POST", f"{wizard.path}/steps/companies/refresh", query={"search": "company 39"})
    assert looked.status == 202
    assert [one["key"] for one in wizard.companies().json["items"]] == ["F00039"]
    assert wizard.get()["notice"] is None
    assert wizard.answer("companies", {"companies": ["F00039"]})["step"] == "name"


def choices_found(whole: Hub) -> None:
    app.services().get(TenantLimits).set_maximum(CHOICES_FOUND, Owner(LimitScope.CLIENT, whole.client), 5)
    whole.system.departments = {"F0001": [f"Department {n}" for n in range(40)], "F0002": ["Tromsø"]}
    wizard = Wizard(whole, "24sevenoffice")
    wizard.answer("sign-in", USER)
    now = wizard.answer("companies", {"companies": ["F0001", "F0002"]})
    listed = whole.call("GET", f"{wizard.path}/choices/departments", query={"limit": "100"})
    assert len(listed.json["items"]) == 5
    assert "Of the departments, 36 more" in now["notice"]
    now = wizard.answer("companies", {"companies": ["F0002"]})
    assert now["notice"] is None


LISTS: dict[str, Callable[[Hub], None]] = {"choices_found": choices_found, "companies_found": companies_found}
"""How a list gets longer than it may be, and what comes of it: a limit of size without a word here fails."""


@pytest.mark.parametrize("name", [one.name for one in capabilities.limits().values() if one.kind is LimitKind.SIZE])
def test_a_list_of_a_server_fills_no_table_and_what_is_left_out_is_told(whole: Hub, name: str) -> None:
    LISTS[name](whole)


class Stock:
    """Things of one owner in a table, counted as stocks are."""

    def __init__(self, table: Table, maximum: int) -> None:
        self.limit, self.owner = Limit("things", maximum, "Things"), Owner(LimitScope.CLIENT, new_id())
        self.table, self.now = table, [datetime(2026, 11, 28, 8, tzinfo=UTC)]
        counter = StoredCount(self.limit, table, lambda owner: make_key(f"CLIENT#{owner}", "THING", ""))
        self.limits = Limits(LimitTable(table), lambda: (counter,), {}, lambda: self.now[0])

    def add(self, name: str = "") -> None:
        with self.limits.hold(self.limit, self.owner):
            self.table.put(make_key(f"CLIENT#{self.owner.id}", "THING", name or new_id()))

    def count(self) -> int:
        return self.limits.use(self.limit, self.owner).used or 0


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Generator[Table]:
    with AWS[request.param]():
        yield make_table(TENANTS)


def at_once(count: int, work: Callable[[], None]) -> list[Exception]:
    """Do the same in so many threads; what each raised."""
    together, raised = Barrier(count), list[Exception]()

    def run() -> None:
        together.wait()
        try:
            work()
        except (LimitReached, TooMany) as error:
            raised.append(error)

    threads = [Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_many_at_once_there_are_never_more_than_the_limit(aws: None) -> None:
    # In memory alone: moto lets two updates of one item go by each other.
    stock = Stock(make_table(TENANTS), 4)
    raised = at_once(10, stock.add)
    assert stock.count() == 10 - len(raised) <= 4
    for _ in range(4 - stock.count()):  # who was refused while others held places may come again
        stock.add()
    with pytest.raises(LimitReached):
        stock.add()


def test_of_many_at_once_a_rate_counts_each(aws: None) -> None:
    # In memory alone: moto lets two updates of one item go by each other.
    table = make_table(TENANTS)
    stock, rate = Stock(table, 1), Limit("tries", 4, "Tries", LimitKind.RATE, seconds=3600)
    raised = at_once(10, lambda: stock.limits.take(rate, stock.owner))
    assert len(raised) == 6
    assert stock.limits.use(rate, stock.owner).used == 4


def test_who_fails_to_store_it_leaves_the_place_free(table: Table) -> None:
    stock = Stock(table, 1)
    with pytest.raises(Unavailable), stock.limits.hold(stock.limit, stock.owner):
        raise Unavailable("It could not be stored.")
    stock.add()
    assert stock.count() == 1


def test_the_place_of_one_that_died_is_free_when_it_cannot_be_alive_any_more(table: Table) -> None:
    stock = Stock(table, 1)
    died = stock.limits.hold(stock.limit, stock.owner)
    died.__enter__()
    quick = replace(stock.limits, pause=lambda _: None)
    with pytest.raises(LimitReached), quick.hold(stock.limit, stock.owner):
        pytest.fail("there was no place")
    stock.now[0] += RESERVED_FOR
    stock.add()
    assert stock.count() == 1


def test_a_place_that_cannot_be_given_back_is_no_failure_of_what_was_done(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock = Stock(table, 2)

    def busy(*_: Any) -> None:
        raise Unavailable("The table is busy.")

    with monkeypatch.context() as patch:
        patch.setattr(LimitTable, "release", busy)
        stock.add()
    stock.now[0] += RESERVED_FOR
    stock.add()
    assert stock.count() == 2


def test_a_request_that_is_answered_anew_after_it_died_is_counted_once(table: Table) -> None:
    stock, rate = Stock(table, 1), Limit("tries", 4, "Tries", LimitKind.RATE, seconds=3600)
    for _ in range(3):
        with repeatable(1, "somebody", "key"):
            stock.limits.take(rate, stock.owner)
    assert stock.limits.use(rate, stock.owner).used == 1


def test_many_at_once_count_together_or_not_at_all(table: Table) -> None:
    stock, rate = Stock(table, 1), Limit("tries", 4, "Tries", LimitKind.RATE, seconds=60)
    stock.limits.take(rate, stock.owner, 3)
    for count in (2, 5):
        with pytest.raises(TooMany):
            stock.limits.take(rate, stock.owner, count)
    stock.limits.take(rate, stock.owner)
    assert stock.limits.use(rate, stock.owner).used == 4


@pytest.mark.parametrize(("kind", "seconds"), [(LimitKind.STOCK, 60), (LimitKind.RATE, 0), (LimitKind.RATE, 7)])
def test_a_rate_and_nothing_else_has_a_window(kind: LimitKind, seconds: int) -> None:
    with pytest.raises(ValueError, match="has a window"):
        Limit("odd", 1, "Odd", kind, seconds=seconds)
