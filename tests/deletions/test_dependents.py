"""Whatever refers to a connection is held by exactly one dependent; secrets go before data, records and registry."""

import importlib
import inspect
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import erphub
from erphub.capabilities import CAPABILITIES
from erphub.deletions.dependents import REMOVED_LAST
from erphub.platform.removal import RemovalStage
from erphub.platform.writes import Key
from tests.deletions.conftest import CLIENT, MINE, Scene

NOT_OF_A_CONNECTION = {
    "PROFILE",
    "ADMIN",
    "ROLE",
    "CLIENT",
    "MEMBER",
    "MEMBER-INVITATION",
    "INVITATION",
    "LICENCES",
    "PLATFORM",
    # The types of a table in the lake, which all connections of the client share.
    "DATASET",
    # Where events are sent is the client's business; what was sent of this connection is not (WEBHOOK-DELIVERY).
    "WEBHOOK",
    # Programs belong to the client, as people do.
    "API-KEY",
    "CREDENTIAL",
    # A CRM and its records are the client's, whichever connections they are linked to.
    "CRM",
    "CRM-RECORD",
    # That two mappings do not become active at once, whichever connections they are of.
    "LINK-MAPPINGS",
    "USE",
    # Counts for the client's limit as long as its wizard is open, and is forgotten by itself.
    "WIZARD-OPEN",
    # Refused tries of a caller, a client or a target, under a digest; forgotten after a day.
    "ATTEMPTS",
}
AUDIT = {"ENTRY", "ENTRY-KEY", "HEAD"}
"""What is kept, in partitions of its own."""
ERPHUB = Path(erphub.__path__[0])


def held(scene: Scene) -> Counter[str]:
    """By how many each first word of a sort key is held."""
    return Counter([word for dependent in scene.dependents for word in dependent.holds] + list(REMOVED_LAST))


def first_word(table: str, item: dict) -> str:
    pk, sk = item["pk"]["S"], item["sk"]["S"]
    if table == "exports":
        return "exports:*"
    return "tenants:IDEMPOTENCY" if pk.startswith("IDEMPOTENCY#") else f"tenants:{sk.split('#')[0]}"


def key_builders() -> Iterator[tuple[str, Callable[..., Key]]]:
    """Everything that makes a key of a table, by name, whichever capability's it is."""
    for found in pkgutil.walk_packages(erphub.__path__, "erphub."):
        source = ERPHUB.joinpath(*found.name.split(".")[1:]).with_suffix(".py")
        if found.name.startswith("erphub.platform.") or not source.is_file() or "-> Key:" not in source.read_text():
            continue
        for name, make in inspect.getmembers(importlib.import_module(found.name), inspect.isfunction):
            here = make.__module__ == found.name and not name.startswith("_")
            if here and inspect.signature(make).return_annotation == Key:
                yield f"{found.name}.{name}", make


def test_every_item_that_holds_a_connections_id_is_some_dependents(scene: Scene):
    scene.draft(MINE)
    scene.ask()
    holding = {
        first_word(table, item)
        for table, item in scene.items()
        if MINE in json.dumps(item, default=str) and "#AUDIT#" not in item["pk"]["S"]
    }
    assert holding <= set(held(scene)), "held by no dependent"
    assert len(holding) > 15


def test_every_key_of_every_store_is_held_by_exactly_one_or_is_of_no_connection(scene: Scene):
    words: dict[str, str] = {}
    for name, make in key_builders():
        given = [
            0 if p.annotation is int else "x"
            for p in inspect.signature(make).parameters.values()
            if p.kind != p.VAR_POSITIONAL
        ]
        key = make(*given)
        words[name] = "exports:*" if "#CONNECTION#" in key["pk"] else f"tenants:{key['sk'].split('#')[0]}"
    assert len(words) > 25
    holders, nobodys = held(scene), {f"tenants:{word}" for word in NOT_OF_A_CONNECTION | AUDIT}
    assert {name: word for name, word in words.items() if holders[word] != (word not in nobodys)} == {}
    assert {word for word in holders if word not in words.values()} == {"tenants:IDEMPOTENCY"}, "nobody makes such keys"


def test_a_word_that_nobody_holds_is_noticed(scene: Scene):
    scene.table.put({"pk": f"CLIENT#{CLIENT}", "sk": f"NEWTHING#{MINE}", "connection_id": MINE})
    words = {first_word(table, item) for table, item in scene.items() if MINE in json.dumps(item, default=str)}
    assert "tenants:NEWTHING" in words - set(held(scene))


def test_dependents_are_named_once_and_answer_for_what_nobody_else_does(scene: Scene):
    kinds = [dependent.kind for dependent in scene.dependents]
    assert len(kinds) == len(set(kinds)) > 15
    assert set(held(scene).values()) == {1}


def test_secrets_go_first_then_data_then_records_and_at_last_the_registry(scene: Scene):
    stages = {
        stage: [one.kind for one in scene.dependents if one.stage is stage]
        for stage in (RemovalStage.SECRETS, RemovalStage.DATA, RemovalStage.RECORDS, RemovalStage.REGISTRY)
    }
    assert [one.kind for one in scene.dependents] == [kind for stage in stages.values() for kind in stage]
    assert stages[RemovalStage.SECRETS] == ["secrets", "tokens"]
    assert stages[RemovalStage.DATA] == ["document_files", "documents", "lake_tables", "notifications"]
    assert stages[RemovalStage.REGISTRY] == ["licences", "companies"]
    assert {"runs", "import_jobs", "sync", "wizards", "deliveries"} < set(stages[RemovalStage.RECORDS])
    assert stages[RemovalStage.RECORDS].index("runs") < stages[RemovalStage.RECORDS].index("import_jobs")


def test_within_a_stage_the_uppermost_capabilitys_goes_first(scene: Scene):
    owners = {
        dependent.kind: capability
        for capability in CAPABILITIES
        for provider in getattr(importlib.import_module(f"erphub.{capability}.wiring"), "TAKES_PART", ())
        if provider.__name__ == "dependents"
        for dependent in provider(scene.services)
    }
    places = [(one.stage, -CAPABILITIES.index(owners[one.kind])) for one in scene.dependents]
    assert places == sorted(places)
    assert len(set(owners.values())) > 8


def test_a_removal_goes_in_that_order(scene: Scene):
    gone: list[str] = []
    scene.ask()
    scene.tasks = replace(scene.tasks, checkpoint=gone.append)
    scene.walk()
    removed = [name.removeprefix("removed ") for name in gone if name.startswith("removed ")]
    assert removed == [dependent.kind for dependent in scene.dependents]
    assert gone.index("removed secrets") < gone.index("removed lake_tables") < gone.index("removed runs")
    assert gone.index("removed runs") < gone.index("removed companies") < gone.index("written down")
