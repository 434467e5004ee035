"""Every status is an end, waits for somebody who is told so, or has an end that needs no worker."""

import re
from enum import StrEnum
from importlib import import_module
from pathlib import Path

import erphub

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(erphub.__file__).parent
ENDED_BY_THEMSELVES = {
    "WizardStatus": {"working"},
    "RunStatus": {"queued", "running"},
    "UnitStatus": {"waiting", "reading"},
    "UploadStatus": {"reading"},
    "TransferStatus": {"queued", "running"},
    "EntryStatus": {"sending"},
    "DeliveryStatus": {"pending"},
    "DeletionStatus": {"requested", "scheduled", "removing"},
    "ConnectionStatus": {"deleting"},
}
"""What only a worker would end."""
ENDS_OR_WAITS = {
    "WizardStatus": {"waiting", "finished", "failed", "cancelled", "expired"},
    "RunStatus": {"succeeded", "partially_succeeded", "failed", "cancelled"},
    "UnitStatus": {"published", "failed", "cancelled"},
    "UploadStatus": {"open", "done", "failed"},
    "TransferStatus": {"succeeded", "partially_succeeded", "failed"},
    "EntryStatus": {"pending", "sent", "rejected", "uncertain", "skipped", "discarded"},
    "DeliveryStatus": {"delivered", "failed"},
    "DeletionStatus": set[str](),
    "ConnectionStatus": {"active", "reauth_required", "degraded", "paused", "deleted"},
}


def statuses() -> dict[str, set[str]]:
    """Every status of something that is kept, by its class."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("models.py"):
        module = import_module(".".join(("erphub", *file.relative_to(PACKAGE).with_suffix("").parts)))
        for name, kind in vars(module).items():
            if name.endswith("Status") and isinstance(kind, type) and issubclass(kind, StrEnum):
                found[name] = {one.value for one in kind}
    return found


def test_of_every_status_it_is_known_what_ends_it() -> None:
    assert statuses() == {name: ENDED_BY_THEMSELVES[name] | ENDS_OR_WAITS[name] for name in ENDS_OR_WAITS}


def test_what_ends_them_is_written_down_and_there() -> None:
    text = (ROOT / "docs/reliability.md").read_text()
    table = text.split("## What ends a state that only a worker ends")[1].split("## ")[0]
    for name, values in ENDED_BY_THEMSELVES.items():
        assert {value for value in values if f"`{value}`" not in table} == set(), name
    ends = re.findall(r"`([a-z_.]+)\.([A-Z]\w+)`", table)
    assert len(ends) == 7
    for module, kind in ends:
        assert hasattr(import_module(f"erphub.{module}"), kind)
