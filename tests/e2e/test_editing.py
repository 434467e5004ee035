"""On the deployed hub: a connection edited on a draft, its password moved, a company added, none connected twice."""

from typing import Any

import httpx
import pytest

from tests.e2e.wizard import WizardUser


class Editor(WizardUser):
    """A user who edits."""

    def edit(self, connection: str, step: str) -> dict[str, Any]:
        made = self.call("POST", "/wizards", json={"connection_id": connection, "step": step})
        assert made.status_code == 201, made.text
        self.path = f"/wizards/{made.json()['id']}"
        return self.settled()

    def shown(self, connection: str) -> dict[str, Any]:
        return self.call("GET", f"/connections/{connection}").json()

    def companies(self, connection: str) -> list[str]:
        return [one["key"] for one in self.call("GET", f"/connections/{connection}/companies").json()["items"]]

    def secrets(self, connection: str) -> list[str]:
        """The names of all that is kept in Secrets Manager for a connection."""
        prefix = f"{self.hub.outputs['SecretPrefix']}{self.client}/{connection}"
        pages = self.hub.aws.client("secretsmanager").get_paginator("list_secrets").paginate()
        return [one["Name"] for page in pages for one in page["SecretList"] if one["Name"].startswith(prefix)]


@pytest.fixture
def editor(hub: Any) -> Editor:
    return Editor.of_a_new_customer(hub)


def test_a_connection_is_edited_while_it_goes_on(hub: Any, editor: Editor):
    connection = editor.connect("Edited", ["F0001"])
    before = editor.shown(connection)

    listed = editor.edit(connection, "companies")
    assert (listed["status"], listed["step"], listed["problem"]) == ("waiting", "companies", None)
    found = editor.call("GET", f"{editor.path}/companies").json()["items"]
    more = next(one["key"] for one in found if not one["unavailable_reason"] and one["key"] != "F0001")
    assert editor.answer("companies", {"companies": ["F0001", more]})["step"] == "finish"
    assert editor.companies(connection) == ["F0001"]
    assert editor.answer("finish", {})["status"] == "finished"
    assert editor.companies(connection) == sorted(["F0001", more])
    assert editor.shown(connection)["version"] == before["version"] + 1

    name, password = f"edit-{connection[-8:].lower()}", "Replaced-Passw0rd-1"
    databases = ["F0001", more, "vbsys"]
    login = {"name": name, "password": password, "databases": databases}
    httpx.post(f"{editor.stand_in['admin_url']}/logins", json=login).raise_for_status()
    old = editor.secrets(connection)
    editor.edit(connection, "server")
    asked = editor.answer("server", editor.server | {"login": name, "password": password})
    assert (asked["step"], asked["problem"]) == ("companies", None)
    assert len(editor.secrets(connection)) == 2
    editor.answer("companies", {"companies": ["F0001"]})
    assert editor.answer("finish", {})["status"] == "finished"
    assert len(editor.secrets(connection)) == 1
    assert editor.secrets(connection) != old
    editor.call("POST", f"/connections/{connection}/test")

    entries = editor.call("GET", f"/connections/{connection}/audit").json()["items"]
    acts = [entry["action"] for entry in entries]
    assert acts == ["connection.tested", "connection.edited", "connection.edited", "connection.created"]
    assert entries[1]["new"]["password"] == "replaced"
    assert entries[1]["source"]
    for place in (hub.items(), hub.histories(), hub.logs(), editor.said):
        assert password not in str(place)


def test_a_server_under_another_name_is_the_same_server(hub: Any, editor: Editor):
    connection = editor.connect("First", ["F0001"])
    customer = next(one for one in hub.call("GET", "/me").json()["clients"] if one["id"] == editor.client)[
        "customer_id"
    ]
    made = hub.call("POST", f"/customers/{customer}/clients", json={"name": "Second"}).json()
    second = Editor(hub, client=made["id"]).start()
    second.answer("server", second.server | {"server": f"localhost:{second.stand_in['port']}"})
    found = {one["key"]: one for one in second.call("GET", f"{second.path}/companies").json()["items"]}
    assert found["F0001"]["connected_elsewhere"]["connection_id"] == connection
    refused = second.put("companies", {"companies": ["F0001"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "company_connected")

    assert second.call("POST", f"{second.path}/access-requests", json={"company_key": "F0001"}).status_code == 202
    told = editor.call("GET", "/notifications").json()["items"]
    assert [one["type"] for one in told if one["connection_id"] == connection][:1] == ["company.access_requested"]

    hub.call("PATCH", f"/customers/{customer}", json={"allow_duplicates": True})
    second.answer("companies", {"companies": ["F0001"], "confirm_duplicates": True})
    second.answer("name", {"name": "Second"})
    second.answer("vouchers", {})
    assert second.answer("finish", {})["status"] == "finished"
    assert (
        editor.call("GET", f"/connections/{connection}/companies").json()["items"][0]["is_connected_elsewhere"] is True
    )
    assert hub.call("GET", f"/customers/{customer}/licences").json()["licences_used"] == 1


def test_an_edit_that_is_cancelled_leaves_no_password_and_a_free_company(hub: Any, editor: Editor, eventually: Any):
    connection = editor.connect("Kept", ["F0001"])
    editor.edit(connection, "server")
    editor.answer("server", editor.server)
    assert len(editor.secrets(connection)) == 2
    assert editor.call("DELETE", editor.path).status_code == 204
    eventually(lambda: len(editor.secrets(connection)) == 1 or None)
    assert editor.companies(connection) == ["F0001"]
