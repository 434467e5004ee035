"""The audit log: every act once, in one chain per client, whatever goes wrong and however many write at once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from erphub import app, capabilities
from erphub.audit.dynamodb import AuditTable, chain_partition
from erphub.audit.models import Owner
from erphub.audit.service import AuditLog
from erphub.platform.aws.table import Table
from erphub.platform.capability import Act, ByService, NoAct, OneOf
from erphub.platform.http.router import Router
from erphub.platform.identity import AccessLevel
from erphub.platform.writes import Write
from erphub.tenancy.capability import INVITATION_EXPIRED
from local import verify_audit
from tests.support.hub import VIEWER, Hub
from tests.support.receiver import HOST


def routes() -> Iterator[tuple[str, object]]:
    return ((f"{route.method} {route.path}", route.audited) for _, route in app.all_routes() if route.method != "GET")


def test_every_route_that_writes_is_an_act_or_says_why_not():
    kinds = dict(routes())
    assert all(isinstance(one, Act | ByService | OneOf | NoAct) for one in kinds.values())
    assert all(len(one.reason) > 20 for one in kinds.values() if isinstance(one, NoAct))
    assert sum(not isinstance(one, NoAct) for one in kinds.values()) > 30


def test_what_routes_are_is_what_the_manifests_declare():
    declared = {act for manifest in capabilities.manifests() for act in manifest.acts}
    used = {act for _, route in app.all_routes() for act in route.acts}
    # The hub ends invitations by itself.
    assert used | {INVITATION_EXPIRED} == declared
    assert all(act.summary[0].isupper() for act in declared)


def test_a_route_that_says_nothing_cannot_be_declared():
    with pytest.raises(TypeError):
        Router("Things").post("/things", needs=AccessLevel.SIGNED_IN)  # pyright: ignore[reportCallIssue]


def webhook(hub: Hub, number: int = 0) -> str:
    body = {"url": f"https://{HOST}/{number}", "events": ["import.failed"]}
    return hub.call("POST", hub.in_client("/webhooks"), body).json["id"]


def log(hub: Hub, **query: str) -> list[dict[str, object]]:
    return hub.call("GET", hub.in_client("/audit"), query=query).json["items"]


def test_an_entry_says_who_what_when_from_where_before_and_after(hub: Hub):
    made = webhook(hub)
    path = hub.in_client(f"/webhooks/{made}")
    assert hub.call("PATCH", path, {"is_enabled": False, "version": 1}).status == 200
    assert hub.call("DELETE", path).status == 204
    deleted, changed, created = log(hub)
    assert [created["action"], changed["action"], deleted["action"]] == [
        "webhook.created",
        "webhook.changed",
        "webhook.deleted",
    ]
    assert [created["number"], changed["number"], deleted["number"]] == [1, 2, 3]
    assert created["actor"] == {"id": "administrator", "name": "administrator@example.test", "kind": "person"}
    assert created["source"]
    assert (changed["old"], changed["new"]) == (
        {"is_enabled": True},
        {"is_enabled": False, "version": 1, "webhook_id": made},
    )
    assert AuditTable(Table(hub.table)).find_break(Owner.client(hub.client)) is None


def test_no_secret_is_in_it(hub: Hub):
    shown = hub.call("POST", hub.in_client("/webhooks"), {"url": f"https://{HOST}/", "events": ["import.failed"]}).json[
        "secret"
    ]
    assert shown not in str(log(hub))


def test_it_is_found_by_act_person_and_time(hub: Hub):
    webhook(hub)
    hub.pass_time(days=1)
    webhook(hub, 1)
    assert len(log(hub, action="webhook.created")) == 2
    assert log(hub, action="webhook.deleted") == log(hub, actor=VIEWER) == []
    assert len(log(hub, actor="administrator@example.test")) == 2
    assert [one["number"] for one in log(hub, from_time="2026-11-23T00:00:00Z")] == [2]
    assert [one["number"] for one in log(hub, to_time="2026-11-23T00:00:00Z")] == [1]


def test_it_has_pages(hub: Hub):
    for number in range(3):
        webhook(hub, number)
    first = hub.call("GET", hub.in_client("/audit"), query={"limit": "2"}).json
    rest = hub.call("GET", hub.in_client("/audit"), query={"limit": "2", "next": first["next"]}).json
    assert [one["number"] for one in [*first["items"], *rest["items"]]] == [3, 2, 1]


def test_only_administrators_see_it(hub: Hub):
    refused = hub.call("GET", hub.in_client("/audit"), user=VIEWER)
    assert (refused.code, refused.json["permission"]) == ("permission_missing", "audit:view")


def test_an_act_that_is_refused_leaves_no_entry(hub: Hub):
    assert hub.call("PATCH", hub.in_client("/members/nobody"), {}).status in {404, 405}
    assert hub.call("DELETE", hub.in_client("/members/nobody")).code == "member_not_found"
    assert log(hub) == []


def test_what_a_customer_decides_is_in_the_customers_log(hub: Hub):
    path = f"/customers/{hub.customer}"
    assert hub.call("PUT", f"{path}/roles/till", {"permissions": ["data:view"]}).status == 200
    (entry,) = hub.call("GET", f"{path}/audit").json["items"]
    assert (entry["action"], entry["old"], entry["new"]) == (
        "role.saved",
        None,
        {"role": "till", "permissions": ["data:view"]},
    )
    assert log(hub) == []


def test_many_at_once_are_all_in_the_chain_once(hub: Hub):
    store, owner = AuditTable(Table(hub.table)), Owner.client(hub.client)
    service = app.services().get(AuditLog)
    entries = [service.entry("administrator", f"act.{number}") for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda entry: store.add(owner, entry, None), entries))
    assert sorted(str(one["action"]) for one in log(hub)) == [f"act.{number}" for number in range(8)]
    assert store.find_break(owner) is None


def test_the_same_entry_again_is_no_second_one(hub: Hub):
    store, owner = AuditTable(Table(hub.table)), Owner.client(hub.client)
    entry = app.services().get(AuditLog).entry("a", "act")
    for _ in range(2):
        store.add(owner, entry, "event")
    assert len(log(hub)) == 1


def test_what_is_altered_removed_or_cut_in_the_table_is_named(hub: Hub):
    for number in range(3):
        webhook(hub, number)
    table, owner = Table(hub.table), Owner.client(hub.client)
    kept = {item["sk"]: item for item in table.read_all(chain_partition(owner), "ENTRY#")}
    assert list(kept) == [f"ENTRY#{number:012}" for number in (1, 2, 3)]
    for number, item in enumerate(kept.values(), 1):
        table.transact([Write(delete={"pk": item["pk"], "sk": item["sk"]})])
        found = AuditTable(table).find_break(owner)
        assert found is not None
        assert found.number == number
        table.put(item | {"body": item["body"].replace("webhook.created", "webhook.deleted")})
        found = AuditTable(table).find_break(owner)
        assert found is not None
        assert (found.number, found.reason) == (number, "the entry was altered")
        table.put(item)
        assert AuditTable(table).find_break(owner) is None


def test_the_command_says_whether_it_is_whole_or_where_it_is_broken(hub: Hub, capsys: pytest.CaptureFixture[str]):
    webhook(hub)
    assert verify_audit.main(hub.table, "client", hub.client) == 0
    partition = chain_partition(Owner.client(hub.client))
    Table(hub.table).transact([Write(delete={"pk": partition, "sk": "ENTRY#000000000001"})])
    assert verify_audit.main(hub.table, "client", hub.client) == 1
    assert "is broken at entry 1: the end is missing" in capsys.readouterr().out
