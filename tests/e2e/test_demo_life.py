"""The demo's scene of a connection's life where nobody watches: it checks itself, and says what is not as told."""

from pathlib import Path
from typing import Any

import pytest

from local.demo.life import Life
from local.demo.receiver import Message
from local.demo.screen import Screen
from tests.e2e.test_demo import as_a_guest


def test_a_connection_is_shared_edited_mended_deleted_and_gone(hub: Any, tmp_path: Path):
    done = as_a_guest(hub, tmp_path, "--scene", "life", "--lines", "200")
    told = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    for sentence in (
        "Shared, the colleague sees its settings and may edit it; the password is shown to nobody.",
        "The second of two editors learns what changed.",
        "Licences count companies, not connections: 2 of 2.",
        "The ERP was given the old password twice; nobody is locked out.",
        "what was missed was caught up on: catch_up, succeeded.",
        "each signature verified.",
        "Everything is back; its schedules are paused.",
        "places before, none now.",
        "Everything was as told.",
    ):
        assert sentence in told, done.stdout
    assert "✗" not in done.stdout
    assert done.stderr == ""
    assert max(len(row) for row in done.stdout.splitlines()) <= 80


def test_what_is_not_as_told_is_said_and_remembered(capsys: pytest.CaptureFixture[str]):
    nothing: Any = None  # it is not asked
    life = Life(Screen(), {}, nothing, nothing)
    life.check(True, "The sun rises.")
    life.check(False, "The moon is cheese.", "stone")
    assert life.mistakes == ["The moon is cheese."]
    assert "Not so: The moon is cheese. stone" in capsys.readouterr().out


def test_the_customers_own_system_knows_a_forged_message():
    # The example of the Standard Webhooks libraries.
    secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    message = Message("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", ("v1,other", signature), body)
    assert message.signed_with(secret)
    assert not Message(message.id, message.timestamp, message.signatures, body + b" ").signed_with(secret)
    assert not message.signed_with(f"whsec_{'A' * 44}")
