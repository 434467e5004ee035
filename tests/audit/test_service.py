"""What an entry holds: no secret, nothing that an item cannot hold, nothing that is written in two ways."""

from hashlib import sha256
from typing import Any

import pytest

from erphub import app
from erphub.audit.service import MAX_VALUE_BYTES, AuditLog
from erphub.platform import redaction
from erphub.platform.acts import ActAtHand
from erphub.platform.capability import Act
from erphub.platform.identity import Caller
from tests.support.hub import ADMINISTRATOR, Hub


@pytest.fixture
def audit(hub: Hub) -> AuditLog:
    return app.services().get(AuditLog)


def test_a_value_that_is_too_long_is_named_by_its_size_and_digest(audit: AuditLog):
    longest, longer = "x" * (MAX_VALUE_BYTES - 2), "x" * (MAX_VALUE_BYTES - 1)
    entry = audit.entry("U1", "act", {"name": longest}, {"name": longer})
    assert entry.old == {"name": longest}
    assert entry.new == {"name": {"bytes": MAX_VALUE_BYTES + 1, "sha256": sha256(f'"{longer}"'.encode()).hexdigest()}}


def test_a_number_is_written_in_one_way_whoever_reads_it(audit: AuditLog):
    assert audit.entry("U1", "act", new={"rate": 0.1, "count": 3, "of": [1.50]}).new == {
        "rate": "0.1",
        "count": 3,
        "of": ["1.5"],
    }


def test_what_is_hidden_stays_hidden_in_what_changed(audit: AuditLog):
    redaction.redact(["Hunter2-secret"])
    entry = audit.entry("U1", "act", {"url": "https://x/?p=Hunter2-secret"}, {"deep": [{"p": "Hunter2-secret"}]})
    assert "Hunter2" not in entry.model_dump_json()


def test_an_act_that_is_in_nobodys_log_is_a_fault_of_ours(audit: AuditLog, hub: Hub):
    act = Act("thing.done", "A thing was done")
    before = hub.items()
    table: Any = app.services().platform.table
    with (
        pytest.raises(ValueError, match="nobody's log for"),
        audit.acting(ActAtHand(act, Caller(ADMINISTRATOR, "a@example.test"), None, None, None)),
    ):
        table.put({"pk": "P", "sk": "S"})
    assert hub.items() == before


def test_the_log_of_a_connection_that_never_was_is_not_there(hub: Hub):
    answer = hub.call("GET", hub.in_client("/connections/01JCG0W1ZARD0000000000000A/audit"))
    assert (answer.status, answer.code) == (404, "connection_not_found")
