"""Mappings through the API: what they can choose from, every reason why one cannot be active, and what is kept."""

from typing import Any

import pytest

from erphub import app
from erphub.links.mappings.dynamodb import MappingTable
from erphub.platform.problems import UNAVAILABLE
from erphub.platform.removal import Dependent
from tests.links.conftest import ActorsErp
from tests.support.aws import on_both
from tests.support.hub import NEIGHBOUR, VIEWER, Answer, Hub

NAME = {"crm_field": "NAME", "erp_field": "NAME", "direction": "both"}
PHONE = {"crm_field": "PHONE", "erp_field": "PHONE", "direction": "to_crm"}
BRANCH = {
    "crm_field": "CATEGORY",
    "erp_field": "BRANCH",
    "direction": "both",
    "items": [{"crm_item": "shop", "erp_item": "1"}, {"crm_item": "store", "erp_item": "2"}],
}
ITEM, LONG = {"crm_item": "a", "erp_item": "1"}, "x" * 11
GOOD: dict[str, Any] = {"is_active": True, "create_allowed": True, "master": "erp", "pairs": [NAME, PHONE, BRANCH]}


@pytest.fixture
def mapped(crm: Hub, erp: ActorsErp, connections: tuple[str, str]) -> Hub:
    return crm


def address(hub: Hub, connection: str, actor_type: str = "customer") -> str:
    return hub.in_client(f"/connections/{connection}/mappings/{actor_type}")


def put(hub: Hub, connection: str, body: dict[str, Any], version: int = 0) -> Answer:
    return hub.call("PUT", address(hub, connection), body | {"version": version})


@on_both
def test_a_mapping_is_proposed_saved_read_and_changed(mapped: Hub, connections: tuple[str, str]):
    first = mapped.call("GET", address(mapped, connections[0]), user=VIEWER).json
    assert (first["version"], first["pairs"], first["is_active"], first["create_allowed"]) == (0, [], False, False)
    assert [pair["erp_field"] for pair in first["proposed_pairs"]] == ["NAME", "NUMBER2", "PHONE", "URL"]
    assert {pair["direction"] for pair in first["proposed_pairs"]} == {"none"}
    assert [one["code"] for one in first["obstacles"]] == ["nothing_mapped"]
    saved = put(mapped, connections[0], GOOD)
    assert (saved.status, saved.json["version"], saved.json["obstacles"]) == (200, 1, [])
    assert saved.json["updated_by"]["name"] == "administrator@example.test"
    assert mapped.call("GET", address(mapped, connections[0])).json == saved.json
    assert [pair["erp_field"] for pair in saved.json["proposed_pairs"]] == ["NUMBER2", "URL"]
    changed = put(mapped, connections[0], GOOD | {"master": "crm"}, 1)
    assert (changed.json["version"], changed.json["master"]) == (2, "crm")
    stale = put(mapped, connections[0], GOOD, 1)
    assert (stale.status, stale.code) == (409, "version_conflict")


def test_saved_again_it_is_the_same(mapped: Hub, connections: tuple[str, str]):
    once = put(mapped, connections[0], GOOD).json
    mapped.pass_time(days=1)
    assert put(mapped, connections[0], GOOD, 1).json == once


@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        ({"pairs": []}, {("/pairs", "nothing_mapped")}),
        ({"pairs": [NAME | {"direction": "none"}]}, {("/pairs", "nothing_mapped")}),
        ({"pairs": [PHONE]}, {("/pairs", "mandatory_not_mapped")}),
        ({"pairs": [NAME | {"direction": "to_crm"}]}, {("/pairs", "mandatory_not_mapped")}),
        ({"pairs": [NAME, PHONE | {"erp_field": "FAX"}]}, {("/pairs/1/erp_field", "erp_field_unknown")}),
        (
            {"pairs": [NAME, {"crm_field": "NUMBER2", "erp_field": "NUMBER2", "direction": "both"}]},
            {("/pairs/1/direction", "erp_field_read_only"), ("/pairs/1/erp_field", "types_do_not_fit")},
        ),
        (
            {"pairs": [NAME, PHONE, PHONE | {"crm_field": "FAX"}]},
            {("/pairs/1/erp_field", "field_mapped_twice"), ("/pairs/2/erp_field", "field_mapped_twice")},
        ),
        (
            {"pairs": [NAME, PHONE, {"crm_field": "PHONE", "erp_field": "URL"}]},
            {("/pairs/1/crm_field", "field_mapped_twice"), ("/pairs/2/crm_field", "field_mapped_twice")},
        ),
        (
            {"pairs": [NAME, {"crm_field": "PHONE", "erp_field": "CREDIT", "direction": "to_erp"}]},
            {("/pairs/1/erp_field", "types_do_not_fit")},
        ),
        (
            {"pairs": [NAME, {"crm_field": "URL", "erp_field": "URL", "default": LONG, "first_sync_default": LONG}]},
            {("/pairs/1/default", "default_too_long"), ("/pairs/1/first_sync_default", "default_too_long")},
        ),
        ({"pairs": [NAME, PHONE | {"items": BRANCH["items"]}]}, {("/pairs/1/items", "not_a_list")}),
        ({"pairs": [NAME, BRANCH | {"items": []}]}, {("/pairs/1/items", "items_not_mapped")}),
        (
            {"pairs": [NAME, BRANCH | {"items": [ITEM, ITEM | {"erp_item": "9"}]}]},
            {("/pairs/1/items/0/crm_item", "item_mapped_twice"), ("/pairs/1/items/1/erp_item", "item_unknown")},
        ),
        (
            {"pairs": [PHONE | {"erp_field": "FAX"}, BRANCH | {"items": []}]},
            {
                ("/pairs", "mandatory_not_mapped"),
                ("/pairs/0/erp_field", "erp_field_unknown"),
                ("/pairs/1/items", "items_not_mapped"),
            },
        ),
    ],
)  # fmt: skip
def test_every_reason_why_it_cannot_be_active_is_said_at_once_and_it_can_be_kept_meanwhile(
    mapped: Hub, connections: tuple[str, str], changed: dict[str, Any], reasons: set[tuple[str, str]]
):
    before = mapped.items()
    refused = put(mapped, connections[0], GOOD | changed)
    assert (refused.status, refused.code) == (422, "invalid_request")
    assert {(one["pointer"], one["code"]) for one in refused.json["errors"]} == reasons
    assert mapped.items() == before
    kept = put(mapped, connections[0], GOOD | changed | {"is_active": False})
    assert (kept.status, kept.json["is_active"]) == (200, False)
    assert {(one["pointer"], one["code"]) for one in kept.json["obstacles"]} == reasons


def test_a_field_of_the_crm_is_written_by_one_connection(mapped: Hub, connections: tuple[str, str]):
    first, second = connections
    assert put(mapped, first, GOOD).status == 200
    refused = put(mapped, second, GOOD)
    assert {(one["pointer"], one["code"]) for one in refused.json["errors"]} == {
        (f"/pairs/{at}/direction", "fed_by_another_connection") for at in range(3)
    }
    reads = [pair | {"direction": "to_erp"} for pair in GOOD["pairs"]]
    assert put(mapped, second, GOOD | {"pairs": reads}).status == 200
    assert put(mapped, first, GOOD | {"is_active": False}, 1).status == 200
    assert put(mapped, second, GOOD, 1).status == 200


def test_of_two_connections_that_become_active_at_once_one_writes_a_field(
    mapped: Hub, connections: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    first, second = connections
    read, begin = MappingTable.get_active, [True]

    def meanwhile(*args: Any) -> Any:
        found = read(*args)
        if begin:
            begin.clear()
            assert put(mapped, second, GOOD).status == 200
        return found

    monkeypatch.setattr(MappingTable, "get_active", meanwhile)
    refused = put(mapped, first, GOOD)
    assert {one["code"] for one in refused.json["errors"]} == {"fed_by_another_connection"}
    active = [mapped.call("GET", address(mapped, one)).json["is_active"] for one in connections]
    assert active == [False, True]


def test_two_connections_that_do_not_meet_become_active_at_once(
    mapped: Hub, connections: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    first, second = connections
    read, begin = MappingTable.get_active, [True]

    def meanwhile(*args: Any) -> Any:
        found = read(*args)
        if begin:
            begin.clear()
            assert put(mapped, second, {"is_active": True, "pairs": [NAME]}).status == 200
        return found

    monkeypatch.setattr(MappingTable, "get_active", meanwhile)
    assert put(mapped, first, {"is_active": True, "pairs": [PHONE]}).json["version"] == 1


def test_what_the_erp_wants_need_not_be_mapped_where_nothing_is_created(mapped: Hub, connections: tuple[str, str]):
    assert put(mapped, connections[0], {"is_active": True, "pairs": [PHONE]}).status == 200


def test_what_there_is_none_of_is_said_in_words(mapped: Hub, connections: tuple[str, str]):
    person = mapped.call("GET", address(mapped, connections[0], "person"))
    assert (person.status, person.code, person.json["detail"]) == (
        502,
        "actor_type_not_supported",
        "This ERP has customers alone.",
    )
    assert mapped.call("GET", address(mapped, connections[0], "dog")).code == "actor_type_not_found"
    assert mapped.call("GET", address(mapped, "0" * 26)).code == "connection_not_found"


def test_nobody_else_sees_or_changes_it(mapped: Hub, connections: tuple[str, str]):
    assert mapped.call("GET", address(mapped, connections[0]), user=NEIGHBOUR).status == 404
    refused = mapped.call("PUT", address(mapped, connections[0]), GOOD | {"version": 0}, user=VIEWER)
    assert (refused.status, refused.json["permission"]) == (403, "links:manage")


def test_an_erp_that_does_not_answer_changes_nothing(mapped: Hub, erp: ActorsErp, connections: tuple[str, str]):
    before = mapped.items()
    erp.raises = [UNAVAILABLE()]
    assert put(mapped, connections[0], GOOD).status == 503
    assert mapped.items() == before


def test_saved_again_after_a_lost_answer_it_is_there_once(
    mapped: Hub, connections: tuple[str, str], monkeypatch: pytest.MonkeyPatch
):
    save, lose = MappingTable.save, [True]

    def loses(*args: Any) -> Any:
        kept = save(*args)
        if lose:
            lose.clear()
            raise UNAVAILABLE()
        return kept

    monkeypatch.setattr(MappingTable, "save", loses)
    assert put(mapped, connections[0], GOOD).status == 503
    assert put(mapped, connections[0], GOOD).code == "version_conflict"
    assert mapped.call("GET", address(mapped, connections[0])).json["pairs"][0]["direction"] == "both"
    assert put(mapped, connections[0], GOOD, 1).json["version"] == 1


def test_mappings_go_with_their_connection(mapped: Hub, connections: tuple[str, str]):
    class Connection:
        client_id, id, secret_name, generation = mapped.client, connections[0], "", ""

    for one in connections:
        put(mapped, one, {"pairs": [PHONE]})
    (dependent,) = [one for one in app.services().all(Dependent) if one.kind == "mappings"]
    assert dependent.find(Connection()).count == 1
    assert dependent.remove(Connection(), lambda: 60.0)
    assert dependent.find(Connection()).count == 0
    versions = [mapped.call("GET", address(mapped, one)).json["version"] for one in connections]
    assert versions == [0, 1]
