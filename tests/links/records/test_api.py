"""CRM records through the API: what is taken, what it changes, who may, and what a fault leaves behind."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.links.records.dynamodb import CrmRecordTable
from erphub.links.records.models import CrmEntity, RecordKey
from erphub.platform.aws.table import Table
from erphub.platform.lexical import is_external_id
from erphub.platform.problems import TABLE_BUSY
from erphub.tenancy.limits import TenantLimits
from tests.support import services
from tests.support.aws import on_both
from tests.support.hub import ACCOUNTANT, NEIGHBOUR, VIEWER, Answer, Hub, handler_module

FIELDS = {"NAME": "Kystkaffe AS", "PHONE": "+47 22 33 44 55", "FAX": None}
RECORD = {"crm": "superoffice", "fields": FIELDS}


def address(crm: Hub, record_id: str = "1042", entity: str = "company") -> str:
    return crm.in_client(f"/crm-records/{entity}/{record_id}")


def put(hub: Hub, record_id: str = "1042", entity: str = "company", **changed: Any) -> Answer:
    return hub.call("PUT", address(hub, record_id, entity), RECORD | changed)


def used(crm: Hub) -> int:
    """How many records the client has by its limits."""
    crm.api = handler_module("api")
    shown = crm.call("GET", crm.in_client("/limits")).json["items"]
    crm.api = handler_module("api", "sync")
    (limit,) = [one for one in shown if one["name"] == "crm_records"]
    return limit["used"]


@on_both
def test_a_record_is_handed_in_read_changed_and_deleted(crm: Hub):
    made = put(crm, revision=1)
    assert (made.status, made.json["outcome"], made.json["version"]) == (200, "created", 1)
    assert made.json["updated_by"]["name"] == "administrator@example.test"
    shown = crm.call("GET", address(crm), user=VIEWER)
    assert shown.json == {name: value for name, value in made.json.items() if name != "outcome"}
    crm.pass_time(minutes=1)
    changed = put(crm, fields={"NAME": "Kystkaffe Bergen AS"}, parent_id="7", revision=2).json
    assert (changed["outcome"], changed["version"], changed["parent_id"]) == ("updated", 2, "7")
    assert changed["fields"] == FIELDS | {"NAME": "Kystkaffe Bergen AS"}
    assert changed["updated_at"] > changed["created_at"] == made.json["created_at"]
    assert used(crm) == 1
    assert crm.call("DELETE", address(crm)).status == 204
    assert crm.call("GET", address(crm)).code == "crm_record_not_found"
    assert crm.call("DELETE", address(crm)).code == "crm_record_not_found"
    assert used(crm) == 0
    kept = str([item for item in crm.items() if "AUDIT" not in item["pk"]["S"]])
    assert "Kystkaffe" not in kept


def test_a_field_left_out_says_nothing_and_null_is_an_empty_one(crm: Hub):
    put(crm, parent_id="7")
    assert put(crm, fields={"PHONE": None}).json["fields"] == FIELDS | {"PHONE": None}
    assert put(crm, fields={}).json["outcome"] == "unchanged"
    shown = crm.call("GET", address(crm)).json
    assert (shown["parent_id"], shown["fields"]) == ("7", FIELDS | {"PHONE": None})
    assert put(crm, fields={}, parent_id=None).json["parent_id"] is None


def test_the_same_again_changes_nothing_whoever_asks_and_when(crm: Hub):
    first = put(crm, revision=3).json
    crm.pass_time(days=1)
    again = crm.call("PUT", address(crm), RECORD | {"revision": 3}, user=ACCOUNTANT).json
    assert again == first | {"outcome": "unchanged"}


@pytest.mark.parametrize(
    ("body", "revision", "taken"),
    [
        ({"NAME": "New"}, 6, True),
        ({"NAME": "New"}, 5, False),
        ({"NAME": "Kystkaffe AS"}, 5, True),
        ({"NAME": "Old"}, 4, False),
        ({"NAME": "Kystkaffe AS"}, 4, False),
        ({"CITY": "Oslo"}, 5, False),
        ({"NAME": "Without a number"}, None, True),
    ],
)
def test_a_late_message_of_the_crm_does_not_bring_back_what_was(crm: Hub, body: Any, revision: int | None, taken: bool):
    put(crm, revision=5)
    answer = put(crm, fields=body, revision=revision)
    if taken:
        assert answer.status == 200
    else:
        assert (answer.status, answer.code, answer.json["revision"]) == (409, "crm_record_outdated", 5)
        assert crm.call("GET", address(crm)).json["version"] == 1


def test_a_state_of_one_number_says_one_thing_of_the_parent_too(crm: Hub):
    put(crm, revision=5, parent_id="7")
    assert put(crm, revision=5, parent_id="7").json["outcome"] == "unchanged"
    assert put(crm, revision=5, parent_id="8").code == "crm_record_outdated"
    assert put(crm, revision=6, parent_id="8").json["parent_id"] == "8"


def test_a_client_has_one_crm_until_it_has_none_of_its_records(crm: Hub):
    put(crm)
    for record_id in ("1042", "1043"):
        refused = put(crm, record_id, crm="hubspot")
        assert (refused.status, refused.code, refused.json["crm"]) == (409, "another_crm", "superoffice")
    crm.call("DELETE", address(crm))
    assert put(crm, crm="hubspot").json["crm"] == "hubspot"
    assert put(crm, "1043").code == "another_crm"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/crm", "required"),
        ({"crm": "a"}, "/fields", "required"),
        ({"crm": "a", "fields": {"NAME": 7}}, "/fields/NAME", None),
        ({"crm": "a", "fields": {"NAME": True}}, "/fields/NAME", None),
        ({"crm": "a", "fields": {"NAME": "x" * 4001}}, "/fields/NAME", None),
        ({"crm": "a", "fields": {"NAME": "a\u202eb"}}, "/fields/NAME", "hidden_character"),
        ({"crm": "a", "fields": {"7": "x"}}, None, None),
        ({"crm": "a", "fields": {f"F{number}": "x" for number in range(201)}}, "/fields", None),
        ({"crm": "a", "fields": {}, "parent_id": "a/b"}, "/parent_id", "record_id_invalid"),
        ({"crm": "a", "fields": {}, "parent_id": ""}, "/parent_id", "record_id_invalid"),
        ({"crm": "a", "fields": {}, "revision": -1}, "/revision", None),
        ({"crm": "a", "fields": {}, "revision": 2**63}, "/revision", None),
        ({"crm": "a", "fields": {}, "revision": "7"}, "/revision", None),
        ({"crm": "", "fields": {}}, "/crm", None),
        ({"crm": "a", "fields": {}, "colour": "red"}, "/colour", "unknown_field"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_the_field_and_nothing_is_kept(
    crm: Hub, body: Any, pointer: str | None, code: str | None
):
    before = crm.items()
    answer = crm.call("PUT", address(crm), body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert any(pointer in (None, one["pointer"]) and code in (None, one["code"]) for one in answer.json["errors"]), (
        answer.text
    )
    assert crm.items() == before


@pytest.mark.parametrize("record_id", ["a%20b", "1" * 101, "%C3%A6"])
def test_what_cannot_be_an_id_is_not_taken_and_not_there(crm: Hub, record_id: str):
    refused = put(crm, record_id)
    assert (refused.status, refused.json["errors"][0]["code"]) == (422, "record_id_invalid")
    for method in ("GET", "DELETE"):
        assert crm.call(method, address(crm, record_id)).code == "crm_record_not_found"


def test_there_are_companies_contacts_and_projects(crm: Hub):
    for method, body in (("PUT", RECORD), ("GET", None), ("DELETE", None)):
        assert crm.call(method, address(crm, entity="person"), body).code == "crm_record_not_found"


def test_a_record_is_as_large_as_an_item_can_hold_and_no_larger(crm: Hub):
    long = {f"F{number:03}": "x" * 4000 for number in range(25)}
    assert put(crm, fields=long).status == 200
    refused = put(crm, fields={"MORE": "\u00e6" * 1200})
    assert (refused.status, refused.code) == (413, "crm_record_too_large")
    assert crm.call("GET", address(crm)).json["fields"] == long


def test_contacts_companies_and_projects_of_one_number_are_three_records(crm: Hub):
    for entity in CrmEntity:
        assert put(crm, "1", entity, fields={"NAME": entity}).json["outcome"] == "created"
    assert [crm.call("GET", address(crm, "1", one)).json["fields"]["NAME"] for one in CrmEntity] == list(CrmEntity)


def test_nobody_else_reads_or_changes_them(crm: Hub):
    put(crm)
    before = crm.items()
    for method, body in (("PUT", RECORD), ("GET", None), ("DELETE", None)):
        assert crm.call(method, address(crm), body, user=NEIGHBOUR).status == 404
    for method, body in (("PUT", RECORD), ("DELETE", None)):
        refused = crm.call(method, address(crm), body, user=VIEWER)
        assert (refused.status, refused.json["permission"]) == (403, "links:manage")
    assert crm.items() == before


# --- several at once --------------------------------------------------------------------------------------------------


def batch(*ids: str, **changed: Any) -> dict[str, Any]:
    return {"records": [RECORD | {"entity": "company", "record_id": one} | changed for one in ids]}


def test_a_thousand_are_handed_in_together_and_counted_each_once(crm: Hub):
    ids = [str(number) for number in range(1000)]
    path = crm.in_client("/crm-records")
    first = crm.call("POST", path, batch(*ids))
    assert [one["outcome"] for one in first.json["results"]] == ["created"] * 1000
    assert [one["record_id"] for one in first.json["results"]] == ids
    again = crm.call("POST", path, batch(*ids, fields=FIELDS | {"CITY": "Oslo"}))
    assert {(one["outcome"], one["version"]) for one in again.json["results"]} == {("updated", 2)}
    assert {one["outcome"] for one in crm.call("POST", path, batch(*ids)).json["results"]} == {"unchanged"}
    assert used(crm) == 1000


@on_both
def test_one_that_is_refused_keeps_back_no_other(crm: Hub):
    put(crm, "2", revision=9)
    records = batch("1", "2", "3", "4", revision=1)
    records["records"][2]["crm"] = "hubspot"
    results = crm.call("POST", crm.in_client("/crm-records"), records).json["results"]
    assert [(one["outcome"], one["code"]) for one in results] == [
        ("created", None),
        (None, "crm_record_outdated"),
        (None, "another_crm"),
        ("created", None),
    ]
    assert all(one["detail"] for one in results if one["code"])


def test_the_same_record_twice_in_a_list_is_nobodys_guess(crm: Hub):
    answer = crm.call("POST", crm.in_client("/crm-records"), batch("1", "2", "1"))
    (error,) = answer.json["errors"]
    assert (answer.status, error["code"], error["pointer"]) == (422, "crm_record_twice", "/records/2")
    assert crm.call("GET", address(crm, "1")).status == 404


def test_a_client_may_have_so_many_and_more_are_refused_one_by_one(crm: Hub, monkeypatch: pytest.MonkeyPatch):
    limits = services.use(monkeypatch, {}).get(TenantLimits)
    monkeypatch.setitem(limits.maxima, "crm_records", 3)  # pyright: ignore[reportArgumentType]
    results = crm.call("POST", crm.in_client("/crm-records"), batch("1", "2", "3", "4")).json["results"]
    assert [one["code"] for one in results] == [None, None, None, "limit_reached"]
    refused = put(crm, "5")
    assert (refused.status, refused.code, refused.json["limit"]) == (409, "limit_reached", "crm_records")
    assert put(crm, "1", fields={"CITY": "Oslo"}).json["outcome"] == "updated"
    crm.call("DELETE", address(crm, "2"))
    assert put(crm, "5").json["outcome"] == "created"


# --- faults -----------------------------------------------------------------------------------------------------------


def broken(method: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The method, whose first call fails: before it does anything, or with its answer lost."""
    calls = [0]

    def call(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == 1:
            if after:
                method(*args, **kwargs)
            raise TABLE_BUSY()
        return method(*args, **kwargs)

    return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "answer lost"])
def test_handed_in_again_after_a_fault_it_is_there_once_and_counted_once(
    crm: Hub, monkeypatch: pytest.MonkeyPatch, after: bool
):
    monkeypatch.setattr(CrmRecordTable, "save", broken(CrmRecordTable.save, after=after))
    assert put(crm).status == 503
    assert put(crm).json["outcome"] == ("unchanged" if after else "created")
    assert used(crm) == 1


@pytest.mark.parametrize("after", [False, True], ids=["before", "answer lost"])
def test_deleted_again_after_a_fault_it_is_gone_and_counted_once(
    crm: Hub, monkeypatch: pytest.MonkeyPatch, after: bool
):
    put(crm)
    put(crm, "1043")
    monkeypatch.setattr(CrmRecordTable, "delete", broken(CrmRecordTable.delete, after=after))
    assert crm.call("DELETE", address(crm)).status == 503
    assert crm.call("DELETE", address(crm)).status == (404 if after else 204)
    assert used(crm) == 1


def test_a_batch_that_was_cut_off_is_handed_in_again_and_whole(crm: Hub, monkeypatch: pytest.MonkeyPatch):
    ids = [str(number) for number in range(100)]
    save, calls = CrmRecordTable.save, [0]

    def dies_at_the_second(*args: Any, **kwargs: Any) -> bool:
        calls[0] += 1
        if calls[0] == 2:
            raise TABLE_BUSY()
        return save(*args, **kwargs)

    monkeypatch.setattr(CrmRecordTable, "save", dies_at_the_second)
    path = crm.in_client("/crm-records")
    assert crm.call("POST", path, batch(*ids)).status == 503
    outcomes = [one["outcome"] for one in crm.call("POST", path, batch(*ids)).json["results"]]
    assert (outcomes.count("unchanged"), outcomes.count("created")) == (40, 60)
    assert used(crm) == 100


def test_two_that_change_different_fields_at_once_both_count(crm: Hub, monkeypatch: pytest.MonkeyPatch):
    put(crm)
    read, first = CrmRecordTable.get_many, [True]

    def meanwhile(*args: Any) -> Any:
        found = read(*args)
        if first:
            first.clear()
            put(crm, fields={"CITY": "Bergen"})
        return found

    monkeypatch.setattr(CrmRecordTable, "get_many", meanwhile)
    changed = put(crm, fields={"PHONE": "1"}).json
    assert (changed["version"], changed["fields"]["CITY"], changed["fields"]["PHONE"]) == (3, "Bergen", "1")


def test_two_crms_that_begin_at_once_do_not_mix(crm: Hub, monkeypatch: pytest.MonkeyPatch):
    read, first = CrmRecordTable.get_many, [True]

    def meanwhile(*args: Any) -> Any:
        if first:
            first.clear()
            put(crm, "1", crm="hubspot")
        return read(*args)

    monkeypatch.setattr(CrmRecordTable, "get_many", meanwhile)
    assert put(crm, "2").code == "another_crm"
    assert CrmRecordTable(Table(crm.table)).get(crm.client, RecordKey(CrmEntity.COMPANY, "2")) is None
    assert used(crm) == 1


@given(st.text(max_size=120))
def test_an_id_that_is_taken_needs_no_escape_in_an_address_or_a_key(text: str):
    if is_external_id(text):
        assert text.isascii()
        assert not set(text) & set("/#?%& \n")
        assert len(text) <= 100
