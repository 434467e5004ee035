"""A receiver in Node.js verifies webhooks with the published library: signed, rotated, altered, too old."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from erphub.events.publisher import make_event
from erphub.imports.capability import IMPORT_FINISHED
from erphub.platform.outbound.https import Answer, HttpsPost
from erphub.platform.wire import PageQuery
from erphub.webhooks.schemas import ChangedWebhook, NewWebhook
from tests.support.integration import integration
from tests.support.receiver import HOST, LOOPBACK, Receiver
from tests.support.typescript import Workspace, started


@dataclass
class NodeReceiver:
    """The running program: where it is, which secret it verifies by, and what it said of each message."""

    program: "Popen[str]"
    secret_file: Path
    port: int = 0

    def __post_init__(self) -> None:
        self.port = int(self.next_line())

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/hook"

    def next_line(self) -> str:
        assert self.program.stdout is not None
        return self.program.stdout.readline().strip()

    def trust(self, secret: str | None) -> None:
        assert secret is not None
        self.secret_file.write_text(secret)


@dataclass
class RememberedPost:
    """The hub's own sender, which remembers what it sent."""

    post: HttpsPost
    sent: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def __call__(self, url: str, headers: dict[str, str], body: bytes) -> Answer:
        self.sent.append((url, dict(headers), body))
        return self.post(url, headers, body)


@pytest.fixture(scope="module")
@integration
def compiled(typescript: Workspace) -> Workspace:
    typescript.compile("webhook_receiver.ts")
    return typescript


@pytest.fixture
@integration
def node(compiled: Workspace, webhooks: Any, receiver: Receiver, tmp_path: Path) -> Iterator[NodeReceiver]:
    webhooks.time[0] = datetime.now(UTC)  # the library refuses what is older than five minutes
    webhooks.post = RememberedPost(HttpsPost(LOOPBACK, receiver.authority, lambda _: ["127.0.0.1"], seconds=10.0))
    secret_file = tmp_path / "secret"
    variables = {"CERTIFICATE": str(receiver.certificate), "SECRET_FILE": str(secret_file)}
    program = started(compiled, "webhook_receiver.js", variables)
    yield NodeReceiver(program, secret_file)
    program.communicate(timeout=10)


def deliver(webhooks: Any, about: str) -> None:
    member = webhooks.member
    event = make_event(
        IMPORT_FINISHED, member.client_id, "connection-1", webhooks.clock(), about, "Something happened."
    )
    webhooks.event_store.add(event)
    webhooks.event_store.mark_published(event)
    assert webhooks.delivery().deliver(event) == 1


def test_a_message_and_a_test_event_are_verified(node: NodeReceiver, webhooks: Any) -> None:
    webhook = webhooks.service().create(webhooks.member, NewWebhook(url=node.url))
    node.trust(webhook.secret)
    deliver(webhooks, "run-1")
    assert node.next_line() == "204 import.finished"
    webhooks.service().test(webhooks.member, webhook.id)
    webhooks.delivery().run_round(lambda: 60.0)
    assert node.next_line() == "204 webhook.test"
    kept = webhooks.service().list_deliveries(webhooks.member, webhook.id, PageQuery()).items
    assert {one.status for one in kept} == {"delivered"}


def test_while_a_secret_is_changed_a_message_is_verified_by_both_and_afterwards_by_the_new_one(
    node: NodeReceiver, webhooks: Any
) -> None:
    webhook = webhooks.service().create(webhooks.member, NewWebhook(url=node.url))
    rotation = ChangedWebhook.model_validate({"rotate_secret": True})
    changed = webhooks.service().update(webhooks.member, webhook.id, rotation)
    for number, secret in enumerate((webhook.secret, changed.secret)):
        node.trust(secret)
        deliver(webhooks, f"run-{number}")
        assert node.next_line() == "204 import.finished"
    # The change was more than a day ago: only the new secret signs.
    kept = webhooks.store.get(webhooks.member.client_id, webhook.id)
    earlier = kept.model_copy(update={"old_secret_expires_at": webhooks.clock() - timedelta(seconds=1)})
    webhooks.store.update(earlier, kept)
    node.trust(webhook.secret)
    deliver(webhooks, "run-8")
    assert node.next_line() == "401 No matching signature found"
    node.trust(changed.secret)
    deliver(webhooks, "run-9")
    assert node.next_line() == "204 import.finished"


def test_what_was_altered_on_the_way_or_is_too_old_is_refused(node: NodeReceiver, webhooks: Any) -> None:
    webhook = webhooks.service().create(webhooks.member, NewWebhook(url=node.url))
    node.trust(webhook.secret)
    deliver(webhooks, "run-1")
    assert node.next_line() == "204 import.finished"
    ((url, headers, body),) = webhooks.post.sent
    altered = [
        (headers, body.replace(b"finished", b"failed")),
        (headers, body + b" "),
        (headers | {"webhook-id": "another"}, body),
        (headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}, body),
    ]
    for changed, content in altered:
        assert webhooks.post(url, changed, content).status == 401
        assert node.next_line() == "401 No matching signature found"
    webhooks.time[0] -= timedelta(minutes=6)
    deliver(webhooks, "run-2")
    assert node.next_line() == "401 Message timestamp too old"
    kept = webhooks.service().list_deliveries(webhooks.member, webhook.id, PageQuery()).items
    assert {(one.status, one.attempts[0].http_status) for one in kept} == {("delivered", 204), ("pending", 401)}
