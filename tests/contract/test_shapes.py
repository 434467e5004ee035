"""Everything that the API takes and gives has one shape for one thing: pages, states, instants, ids, people.

The rules are those of the names that everybody uses; what deviates stands below with its reason.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import described

type Schema = dict[str, Any]

SCHEMAS: dict[str, Schema] = described.document()["components"]["schemas"]
OPERATIONS = described.operations()

NO_PAGES = {
    "Changes": "a feed: `since` is where it goes on, and it never ends",
}
"""Answers with `items` that are no pages."""
NOT_AT = {
    "AuditQuery.from_time": "a range of a filter, as `from_date` is one of days",
    "AuditQuery.to_time": "a range of a filter",
}
"""Instants that are neither `*_at` nor the bound of a span, `*_since` and `*_until`."""
NO_STATUS = {
    "Problem.status": "HTTP's own, as RFC 9457 has it",
    "DeliveryAttempt.http_status": "HTTP's own, of the receiver's answer",
    "KindDetails.documents_by_status": "a count of each status",
}
"""What has `status` in its name and is none of an entity."""
NOT_BY_ACTOR = {
    "AuditQuery.actor": "a filter takes the id that an entry shows",
    "CreateCustomer.administrator": "somebody is asked by their address or id: the hub may not know them yet",
}
"""People in requests, where nobody has a name to send."""
NO_IDS = {
    "StartWizard.step": "steps are named by words (`companies`), which the documentation of a system shows",
    "Wizard.step": "the same",
}
"""Nouns of identifiers in addresses that stand alone."""
PEOPLE = re.compile(r"(.+_by|owner|actor|member|user|person|administrator|inviter)")


def properties() -> Iterator[tuple[str, str, Schema]]:
    """Every property of every schema: where it stands, its name, its schema."""
    for name, schema in SCHEMAS.items():
        for key, one in schema.get("properties", {}).items():
            yield f"{name}.{key}", key, one


def variants(schema: Schema) -> Iterator[Schema]:
    """What a property may be, null left out."""
    for one in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if one.get("type") != "null" and ("type" in one or "$ref" in one):
            yield one


def formats(schema: Schema) -> set[str]:
    return {one["format"] for one in variants(schema) if "format" in one}


def pointed(schema: Schema) -> set[str]:
    return {one["$ref"].rpartition("/")[2] for one in variants(schema) if "$ref" in one}


def is_enumeration(schema: Schema) -> bool:
    """Whether it is one of some words that stand in a schema of their own."""
    return bool(pointed(schema)) and all("enum" in SCHEMAS[name] for name in pointed(schema))


def answers() -> Iterator[tuple[str, Schema]]:
    """The schema of what each operation answers when it went well, with its name."""
    for operation in OPERATIONS.values():
        for status, said in operation["responses"].items():
            content = said.get("content", {})
            if int(status) < 300 and "application/json" in content:
                yield operation["operationId"], described.resolved(content["application/json"]["schema"])


def test_a_list_is_a_page_of_items_and_next_and_nothing_else() -> None:
    listed = {name: schema for name, schema in answers() if "items" in schema.get("properties", {})}
    assert [name for name in listed if not name.startswith(("list_", "process_"))] == []
    wrong = [
        schema["title"]
        for schema in listed.values()
        if set(schema["properties"]) != {"items", "next"} and schema["title"] not in NO_PAGES
    ]
    assert wrong == []
    for name, schema in answers():
        if name.startswith("list_"):
            assert "items" in schema["properties"], f"{name} lists something and gives no items"
            assert schema["properties"]["items"]["type"] == "array"


def test_no_answer_is_a_bare_list() -> None:
    assert [name for name, schema in answers() if schema.get("type") == "array"] == []


def test_whatever_is_an_instant_is_named_so_and_has_a_zone() -> None:
    named = re.compile(r".+_(at|since|until)|since|until")
    wrong = [where for where, key, one in properties() if "date-time" in formats(one) and not named.fullmatch(key)]
    assert sorted(wrong) == sorted(NOT_AT)
    unmarked = [where for where, key, one in properties() if key.endswith("_at") and formats(one) != {"date-time"}]
    assert unmarked == []


def test_whatever_is_a_day_is_named_so() -> None:
    named = re.compile(r"(.+_)?date")
    assert [where for where, key, one in properties() if "date" in formats(one) and not named.fullmatch(key)] == []
    assert [where for where, key, one in properties() if named.fullmatch(key) and formats(one) - {"date"}] == []


def test_where_something_stands_is_its_status_and_an_enumeration() -> None:
    assert [where for where, key, _ in properties() if re.fullmatch(r"(.+_)?state", key)] == []
    found = {where: one for where, key, one in properties() if re.fullmatch(r"(.+_)?status", key)}
    wrong = [where for where, one in found.items() if not is_enumeration(one)]
    assert sorted(wrong) == sorted(NO_STATUS)


def test_an_id_is_a_text_named_so_and_a_bare_noun_is_no_id() -> None:
    """`key` is what an ERP calls a record, or an API key itself."""
    assert [
        where
        for where, key, one in properties()
        if (key == "id" or key.endswith("_id")) and {kind.get("type") for kind in variants(one)} != {"string"}
    ] == []
    nouns = {name.removesuffix("_id") for _, path in OPERATIONS for name in re.findall(r"{(\w+_id)}", path)}
    bare = [
        where
        for where, key, one in properties()
        if key in nouns - {"key"} and any(kind.get("type") == "string" for kind in variants(one))
    ]
    assert sorted(bare) == sorted(NO_IDS)


def test_people_are_shown_with_id_name_and_kind() -> None:
    assert set(SCHEMAS["Actor"]["properties"]) == {"id", "name", "kind"}
    people = {where: one for where, key, one in properties() if PEOPLE.fullmatch(key)}
    wrong = [where for where, one in people.items() if pointed(one) != {"Actor"}]
    assert sorted(wrong) == sorted(NOT_BY_ACTOR)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_names_are_in_snake_case(schema: str) -> None:
    assert [key for key in SCHEMAS[schema].get("properties", {}) if not re.fullmatch(r"[a-z][a-z0-9_]*", key)] == []


def test_paths_name_identifiers_as_bodies_do() -> None:
    """`{client_id}` in an address is `client_id` in a body; what the hub did not give an id keeps its own name."""
    own = {"role", "limit_name", "erp_system", "field_name", "kind", "code", "entity", "actor_type"}
    names = {name for _, path in OPERATIONS for name in re.findall(r"{(\w+)}", path)}
    assert {name for name in names if not name.endswith("_id")} == own
