"""People are shown by their e-mail address, not by an identifier, as long as they belong to the client."""

import pytest

from erphub import app
from erphub.platform.actors import HUB, ActorKind, ActorView
from erphub.platform.aws.table import Table
from erphub.tenancy.actors import MemberDirectory


@pytest.fixture
def directory(hub) -> MemberDirectory:
    return app.services().get(MemberDirectory)


def test_a_member_is_named_by_the_address_of_the_membership(hub, directory):
    assert directory.find(hub.client, ["viewer"]) == {
        "viewer": ActorView(id="viewer", name="viewer@example.test", kind=ActorKind.PERSON)
    }


def test_the_hub_itself_is_no_person(hub, directory):
    assert directory.find(hub.client, [HUB])[HUB].kind is ActorKind.SYSTEM


def test_somebody_who_has_left_is_still_told_apart_and_has_no_name(hub, directory):
    hub.call("DELETE", hub.in_client("/members/viewer"))
    found = directory.find(hub.client, ["viewer", "accountant"])
    assert found["viewer"] == ActorView(id="viewer", name=None, kind=ActorKind.PERSON)
    assert found["accountant"].name == "accountant@example.test"


def test_a_client_knows_no_names_of_anothers_members(hub, directory):
    assert directory.find(hub.other_client, ["viewer"])["viewer"].name is None


def test_a_page_of_many_is_named_in_one_read(hub, directory, monkeypatch):
    reads, read = [], Table.get_many
    monkeypatch.setattr(Table, "get_many", lambda table, keys: reads.append(keys) or read(table, keys))
    ids = ["viewer", "accountant", HUB, "viewer", None, "stranger", "administrator"]
    found = directory.find(hub.client, ids)
    assert {key: one.name for key, one in found.items()} == {
        "viewer": "viewer@example.test",
        "accountant": "accountant@example.test",
        "administrator": "administrator@example.test",
        "stranger": None,
        HUB: "ERP Hub",
    }
    assert [len(keys) for keys in reads] == [4]
    assert directory.find(hub.client, [HUB, None])
    assert len(reads) == 1, "nobody is read for what the hub did"
