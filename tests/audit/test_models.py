"""Which entries of an audit log somebody asks for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from erphub.audit.models import AuditEntry, AuditFilter

AT = datetime(2026, 3, 5, 12, tzinfo=UTC)
ENTRY = AuditEntry(
    id="E1", occurred_at=AT, actor="U1", email="Kari@example.test", action="job.created", connection_id="C1"
)
HIS = AuditFilter("U1", "job.created", "C1", AT, AT + timedelta(seconds=1))


@pytest.mark.parametrize(
    "wanted",
    [
        AuditFilter(),
        HIS,
        AuditFilter(actor="kari@EXAMPLE.test"),
        AuditFilter(since=AT),
        AuditFilter(action=HIS.action),
    ],
)
def test_an_entry_that_fits_all_that_is_asked_is_wanted(wanted: AuditFilter):
    assert wanted.wants(ENTRY)


@pytest.mark.parametrize(
    "otherwise",
    [
        {"actor": "U2"},
        {"actor": "kari"},
        {"action": "job"},
        {"connection_id": "C2"},
        {"connection_id": ""},
        {"since": AT + timedelta(microseconds=1)},
        {"until": AT},
    ],
)
def test_an_entry_that_misses_one_thing_is_not(otherwise: dict[str, Any]):
    assert not replace(HIS, **otherwise).wants(ENTRY)


def test_nobodys_address_is_no_address_that_is_asked_for():
    unnamed = ENTRY.model_copy(update={"email": None})
    assert not AuditFilter(actor="kari@example.test").wants(unnamed)
    assert not AuditFilter(actor="").wants(unnamed.model_copy(update={"actor": "U2", "email": "x@example.test"}))
