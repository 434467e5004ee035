"""Customers, clients, roles and members: who may be made what, and by whom."""

import pytest

from erphub import app, capabilities
from erphub.tenancy.dynamodb import CustomerTable, MemberTable, PlatformAdministratorTable
from tests.support.aws import on_both

ACCOUNTANT = {"id": "accountant", "name": "accountant@example.test", "kind": "person"}


@pytest.fixture
def platform(hub):
    PlatformAdministratorTable(app.services().platform.table).add("platform")
    return "platform"


def roles(hub, name):
    return f"/customers/{hub.customer}/roles/{name}"


def test_me_shows_where_the_caller_belongs_and_what_may_be_done_there(hub):
    me = hub.call("GET", "/me", user="accountant").json
    assert me["id"] == "accountant"
    assert me["is_platform_administrator"] is False
    assert me["customers"] == [{"id": hub.customer, "name": "Example AS", "is_administrator": False}]
    assert [(client["id"], client["role"]) for client in me["clients"]] == [(hub.client, "accountant")]
    assert "connections:manage" not in me["clients"][0]["permissions"]
    assert "connections:view" in me["clients"][0]["permissions"]


def test_me_shows_nothing_to_somebody_who_belongs_nowhere(hub):
    me = hub.call("GET", "/me", user="stranger").json
    assert (me["customers"], me["clients"]) == ([], [])


def test_a_customer_administrator_without_a_client_sees_the_customer(hub, platform):
    made = hub.call("POST", "/customers", {"name": "New AS", "administrator": "boss@example.test"}, user=platform)
    assert made.status == 201
    boss = made.json["administrators"][0]["id"]
    me = hub.call("GET", "/me", user=boss).json
    assert me["customers"] == [{"id": made.json["id"], "name": "New AS", "is_administrator": True}]


def test_a_new_customer_has_roles_to_begin_with(hub, platform):
    made = hub.call("POST", "/customers", {"name": "New AS", "administrator": "accountant"}, user=platform).json
    assert {role["name"]: len(role["permissions"]) for role in made["roles"]} == {
        "accountant": 7,
        "administrator": len(capabilities.permissions()),
        "viewer": 3,
    }


def test_an_administrator_nobody_knows_is_invited_by_address_but_not_by_id(hub, platform):
    made = hub.call("POST", "/customers", {"name": "A AS", "administrator": "Fresh@Example.test"}, user=platform)
    assert hub.users.people[made.json["administrators"][0]["id"]].email == "fresh@example.test"
    refused = hub.call("POST", "/customers", {"name": "B AS", "administrator": "no-such-id"}, user=platform)
    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "user_unknown")


def test_an_address_that_somebody_only_says_is_theirs_gives_them_no_rights(hub, platform):
    hub.users.unconfirmed["cfo@victim.example"] = "neighbour"
    for method, path, body in (
        ("PUT", hub.in_client("/members/cfo@victim.example"), {"role": "administrator"}),
        ("POST", "/customers", {"name": "Victim AS", "administrator": "cfo@victim.example"}),
    ):
        answer = hub.call(method, path, body, user=platform if path == "/customers" else "administrator")
        assert (answer.status, answer.code) == (409, "email_unconfirmed")
    assert hub.call("GET", "/me", user="neighbour").json["clients"][0]["id"] == hub.other_client


# --- a customer's administrators --------------------------------------------------------------------------------------


def administrators(hub, who=""):
    return f"/customers/{hub.customer}/administrators" + (f"/{who}" if who else "")


def test_an_administrator_hands_over_to_another_and_leaves(hub):
    added = hub.call("PUT", administrators(hub, "accountant@example.test"))
    assert (added.status, added.json) == (200, ACCOUNTANT)
    again = hub.call("PUT", administrators(hub, "accountant"))
    assert (again.status, again.json) == (200, ACCOUNTANT)
    assert [one["id"] for one in hub.call("GET", "/me", user="accountant").json["customers"] if one["is_administrator"]]
    left = hub.call("DELETE", administrators(hub, "administrator"), user="accountant")
    assert left.status == 204
    assert hub.call("GET", roles(hub, "viewer")).code == "customer_administrators_only"
    assert hub.call("GET", roles(hub, "viewer"), user="accountant").status == 200
    shown = hub.call("GET", f"/customers/{hub.customer}", user="accountant").json
    assert shown["administrators"] == [ACCOUNTANT]


def test_a_new_administrator_may_be_invited_and_unknown_ones_may_not(hub):
    invited = hub.call("PUT", administrators(hub, "Fresh@example.test"))
    assert hub.users.people[invited.json["id"]].email == "fresh@example.test"
    unknown = hub.call("PUT", administrators(hub, "no-such-id"))
    assert (unknown.status, unknown.json["errors"][0]["code"]) == (422, "user_unknown")


def test_the_last_administrator_of_a_customer_stays(hub):
    last = hub.call("DELETE", administrators(hub, "administrator"))
    assert (last.status, last.code) == (409, "last_administrator")
    nobody = hub.call("DELETE", administrators(hub, "viewer"))
    assert (nobody.status, nobody.code) == (404, "administrator_not_found")


def test_two_administrators_cannot_remove_each_other_at_the_same_time(hub, monkeypatch):
    hub.call("PUT", administrators(hub, "accountant"))
    remove, inner = CustomerTable.remove_administrator, []

    def both(self, customer, user, remaining):
        if not inner:
            inner.append(None)
            inner.append(hub.call("DELETE", administrators(hub, "administrator"), user="accountant"))
        return remove(self, customer, user, remaining)

    monkeypatch.setattr(CustomerTable, "remove_administrator", both)
    outer = hub.call("DELETE", administrators(hub, "accountant"))
    assert (inner[1].status, outer.status) == (204, 409)
    kept = CustomerTable(app.services().platform.table).get_administrators(hub.customer)
    assert [one.id for one in kept] == ["accountant"]


def test_the_platform_helps_a_customer_whose_administrator_is_gone_and_knows_no_other_customer(hub, platform):
    assert hub.call("GET", roles(hub, "viewer"), user=platform).status == 404
    assert hub.call("PUT", administrators(hub, "accountant"), user=platform).status == 200
    assert hub.call("DELETE", administrators(hub, "administrator"), user=platform).status == 204
    listed = hub.call("GET", administrators(hub), user=platform).json
    assert listed == {"items": [ACCOUNTANT], "next": None}
    nowhere = f"/customers/{hub.client}/administrators"
    for method, path in (("GET", nowhere), ("PUT", f"{nowhere}/accountant"), ("DELETE", f"{nowhere}/accountant")):
        assert hub.call(method, path, user=platform).status == 404


def test_who_makes_a_client_administers_it(hub):
    made = hub.call("POST", f"/customers/{hub.customer}/clients", {"name": "Third"}).json
    me = hub.call("GET", "/me").json
    role = next(client["role"] for client in me["clients"] if client["id"] == made["id"])
    assert role == "administrator"
    assert hub.call("GET", f"/clients/{made['id']}/members").json["items"][0]["member"]["id"] == "administrator"


@on_both
def test_clients_are_listed_in_pages(hub):
    for number in range(5):
        hub.call("POST", f"/customers/{hub.customer}/clients", {"name": f"Client {number}"})
    first = hub.call("GET", f"/customers/{hub.customer}/clients", query={"limit": "4"}).json
    rest = hub.call("GET", f"/customers/{hub.customer}/clients", query={"limit": "4", "next": first["next"]}).json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (4, 3, None)
    assert len({client["id"] for client in first["items"] + rest["items"]}) == 7


@on_both
def test_a_member_is_added_changed_and_removed(hub):
    path = hub.in_client("/members/neighbour")
    hub.join("neighbour", "viewer")
    assert hub.call("GET", hub.in_client("/connections"), user="neighbour").status == 200
    changed = hub.call("PUT", path, {"role": "accountant", "version": 1})
    assert (changed.json["role"], changed.json["version"]) == ("accountant", 2)
    stale = hub.call("PUT", path, {"role": "viewer", "version": 1})
    assert (stale.status, stale.code) == (409, "version_conflict")
    assert hub.call("DELETE", path).status == 204
    assert hub.call("GET", hub.in_client("/connections"), user="neighbour").status == 404
    gone = hub.call("DELETE", path)
    assert (gone.status, gone.code) == (404, "member_not_found")


def test_a_member_can_be_named_by_address(hub):
    named = hub.call("PUT", hub.in_client("/members/Accountant@example.test"), {"role": "viewer"}).json
    assert (named["member"]["id"], named["role"], named["status"]) == ("accountant", "viewer", "active")
    invited = hub.call("PUT", hub.in_client("/members/fresh@example.test"), {"role": "viewer"}).json
    assert invited["member"]["name"] == "fresh@example.test"
    assert hub.call("DELETE", hub.in_client("/members/accountant@example.test")).status == 204


def test_a_role_that_is_not_there_cannot_be_given(hub):
    answer = hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "king"})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "role_not_found")


def test_nobody_gives_more_than_they_have(hub):
    own = ["members:manage", "connections:view", "data:view", "links:view"]
    hub.call("PUT", roles(hub, "gatekeeper"), {"permissions": own})
    hub.join("neighbour", "gatekeeper")
    hub.call("PUT", roles(hub, "reader"), {"permissions": ["data:view"]})
    fine = hub.call("PUT", hub.in_client("/members/viewer"), {"role": "reader"}, user="neighbour")
    assert fine.status == 200
    answer = hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "administrator"}, user="neighbour")
    assert (answer.status, answer.code) == (403, "role_exceeds_own")


def test_nobody_takes_away_more_than_they_have(hub):
    hub.call("PUT", roles(hub, "hr"), {"permissions": ["members:manage"]})
    hub.join("neighbour", "hr")
    before = hub.items()
    for method, body in (("DELETE", None), ("PUT", {"role": "hr"})):
        answer = hub.call(method, hub.in_client("/members/administrator"), body, user="neighbour")
        assert (answer.status, answer.code) == (403, "role_exceeds_own")
    assert hub.items() == before
    assert hub.call("DELETE", hub.in_client("/members/neighbour"), user="neighbour").status == 204, (
        "themselves they may"
    )


def test_the_last_administrator_of_a_client_stays(hub):
    path = hub.in_client("/members/administrator")
    for method, body in (("DELETE", None), ("PUT", {"role": "viewer"})):
        answer = hub.call(method, path, body)
        assert (answer.status, answer.code) == (409, "last_administrator")
    hub.call("PUT", hub.in_client("/members/accountant"), {"role": "administrator"})
    assert hub.call("DELETE", path).status == 204
    last = hub.call("DELETE", hub.in_client("/members/accountant"), user="accountant")
    assert (last.status, last.code) == (409, "last_administrator")


@on_both
def test_two_administrators_cannot_leave_at_the_same_time(hub, monkeypatch):
    hub.call("PUT", hub.in_client("/members/accountant"), {"role": "administrator"})
    delete, inner = MemberTable.delete, []

    def both_leave(self, member, remaining):
        if not inner:
            inner.append(None)
            inner.append(hub.call("DELETE", hub.in_client("/members/accountant"), user="accountant"))
        return delete(self, member, remaining)

    monkeypatch.setattr(MemberTable, "delete", both_leave)
    outer = hub.call("DELETE", hub.in_client("/members/administrator"))
    assert sorted([outer.status, inner[1].status]) == [204, 409]
    assert len(hub.items())


@on_both
def test_a_role_is_made_changed_and_deleted(hub):
    made = hub.call("PUT", roles(hub, "auditor"), {"permissions": ["data:view"]})
    assert (made.status, made.json) == (200, {"name": "auditor", "permissions": ["data:view"], "version": 1})
    changed = hub.call("PUT", roles(hub, "auditor"), {"permissions": ["data:view", "vouchers:view"], "version": 1})
    assert changed.json["version"] == 2
    stale = hub.call("PUT", roles(hub, "auditor"), {"permissions": [], "version": 1})
    assert (stale.status, stale.code) == (409, "version_conflict")
    assert hub.call("DELETE", roles(hub, "auditor")).status == 204
    assert hub.call("GET", roles(hub, "auditor")).code == "role_not_found"
    assert hub.call("DELETE", roles(hub, "auditor")).status == 404


def test_a_role_takes_effect_on_the_next_request(hub):
    assert hub.call("GET", hub.in_client("/connections"), user="viewer").status == 200
    hub.call("PUT", roles(hub, "viewer"), {"permissions": ["data:view"]})
    assert hub.call("GET", hub.in_client("/connections"), user="viewer").status == 403


def test_a_role_somebody_has_cannot_be_deleted(hub):
    answer = hub.call("DELETE", roles(hub, "viewer"))
    assert (answer.status, answer.code) == (409, "role_in_use")
    hub.call("DELETE", hub.in_client("/members/viewer"))
    assert hub.call("DELETE", roles(hub, "viewer")).status == 204


def test_the_role_of_administrators_stays_able_to_administer(hub):
    assert hub.call("DELETE", roles(hub, "administrator")).code == "role_protected"
    assert hub.call("PUT", roles(hub, "administrator"), {"permissions": ["data:view"]}).code == "role_protected"


@pytest.mark.parametrize("permission", ["everything", "data:view ", 7, None])
def test_a_permission_that_is_none_is_refused(hub, permission):
    answer = hub.call("PUT", roles(hub, "odd"), {"permissions": [permission]})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/permissions/0")


@pytest.mark.parametrize("name", ["Upper", "a b", "a" * 51, "-x", "å"])
def test_a_role_has_a_plain_name(hub, name):
    assert hub.call("PUT", roles(hub, name), {"permissions": []}).status in (404, 422)
