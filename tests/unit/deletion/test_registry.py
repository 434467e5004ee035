"""Whatever refers to a connection is in the registry: a new kind of item that is not fails here."""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator

import erphub
from erphub.deletions.dependents import LAST
from erphub.platform.writes import Key
from tests.unit.deletion.conftest import CLIENT, MINE, Scene

NOT_OF_A_CONNECTION = {
    "PROFILE",
    "ADMIN",
    "ROLE",
    "CLIENT",
    "MEMBER",
    "LICENCES",
    "PLATFORM",
    # The types of a table in the lake, which all connections of the client share.
    "DATASET",
    # Where events are sent is the client's business; what was sent of this connection is not (WEBHOOK-DELIVERY).
    "WEBHOOK",
}
AUDIT = {"ENTRY", "ONCE"}
"""What stays, in partitions of its own."""


def registered(scene: Scene) -> set[str]:
    return {held for kind in scene.kinds for held in kind.holds} | set(LAST)


def kind_of(table: str, item: dict) -> str:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    if table == "exports":
        return "exports:*"
    return "tenants:IDEMPOTENCY" if pk.startswith("IDEMPOTENCY#") else f"tenants:{sk.split('#')[0]}"


def key_builders() -> Iterator[tuple[str, Callable[..., Key]]]:
    """Everything in a store's module that makes a key of a table, by name."""
    for found in pkgutil.walk_packages(erphub.__path__, "erphub."):
        if found.name.endswith((".dynamodb", ".open_runs")):
            for name, make in inspect.getmembers(importlib.import_module(found.name), inspect.isfunction):
                here = make.__module__ == found.name and not name.startswith("_")
                if here and inspect.signature(make).return_annotation == Key:
                    yield name, make


def test_every_item_that_holds_a_connections_id_is_of_a_registered_kind(scene: Scene):
    scene.draft(MINE)
    scene.ask()
    holding = {
        kind_of(table, item)
        for table, item in scene.items()
        if MINE in json.dumps(item, default=str) and "#AUDIT#" not in item["pk"]["S"]
    }
    assert holding <= registered(scene), "not in erphub/deletions/dependents.py"
    assert len(holding) > 15


def test_every_key_there_is_belongs_to_a_kind_or_to_no_connection(scene: Scene):
    words: dict[str, str] = {}
    for name, make in key_builders():
        given = [
            0 if p.annotation is int else "x"
            for p in inspect.signature(make).parameters.values()
            if p.kind != p.VAR_POSITIONAL
        ]
        key = make(*given)
        if "#CONNECTION#" in key["pk"]:
            assert "exports:*" in registered(scene)
            continue
        words[name] = key["sk"].split("#")[0]
    assert len(words) > 25
    known = {held.removeprefix("tenants:") for held in registered(scene)} | NOT_OF_A_CONNECTION | AUDIT
    assert {name: word for name, word in words.items() if word not in known} == {}, (
        "not in erphub/deletions/dependents.py"
    )


def test_a_kind_nobody_registered_is_noticed(scene: Scene):
    scene.table.put({"pk": f"CLIENT#{CLIENT}", "sk": f"NEWTHING#{MINE}", "connection_id": MINE})
    kinds = {kind_of(table, item) for table, item in scene.items() if MINE in json.dumps(item, default=str)}
    assert "tenants:NEWTHING" in kinds - registered(scene)


def test_kinds_are_named_once_and_answer_for_what_nobody_else_does(scene: Scene):
    ids = [kind.id for kind in scene.kinds]
    held = [held for kind in scene.kinds for held in kind.holds]
    assert len(ids) == len(set(ids))
    assert len(held) == len(set(held))
    assert not set(held) & set(LAST)
