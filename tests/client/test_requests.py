"""The client asks again where that is safe and only there, waits as it is asked to, and raises problems by kind."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from erphub_client import HubProblem, models, problems

ME = {
    "id": "u1", "kind": "person", "signed_in_with": "by_a_way_of_tomorrow",
    "valid_until": None,
    "email": "a@example.com", "api_key": None,
    "is_platform_administrator": False, "customers": [], "clients": [], "invitations": [],
    "a_field_of_tomorrow": 1,
}  # fmt: skip
WEBHOOK = {
    "id": "w", "url": "https://a.example/", "events": "all", "description": "", "is_enabled": True,
    "disabled_reason": "",
    "created_by": {"id": "u", "name": "A", "kind": "person"}, "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z", "version": 1, "secret": None, "old_secret_expires_at": None,
}  # fmt: skip


def ok(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


def lost() -> httpx.ReadError:
    return httpx.ReadError("cut off", request=httpx.Request("GET", "https://hub.example.test/"))


def not_connected() -> httpx.ConnectError:
    return httpx.ConnectError("refused", request=httpx.Request("GET", "https://hub.example.test/"))


def test_what_a_newer_hub_says_is_understood_as_far_as_it_is_known(fake):
    fake.answers = [ok(ME)]
    me = fake.client().get_me()
    assert (me.id, me.signed_in_with) == ("u1", "by_a_way_of_tomorrow")
    (asked,) = fake.asked
    assert (str(asked.url), asked.headers["authorization"]) == ("https://hub.example.test/prod/me", "Bearer ehk_key")


@pytest.mark.parametrize("first", [lost(), not_connected(), 500, 502, 503, 504, 429], ids=str)
def test_a_question_is_asked_again(fake, refused, first):
    fake.answers = [first if isinstance(first, Exception) else refused(first, "no_answer"), ok(ME)]
    assert fake.client().get_me().id == "u1"
    assert len(fake.asked) == 2


def test_pauses_double_up_to_a_bound_and_the_tries_end(fake, refused):
    fake.answers = [refused(503) for _ in range(5)]
    with pytest.raises(problems.Unavailable):
        fake.client().get_me()
    assert fake.waited == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("given", ["7", "date"])
def test_a_pause_that_the_hub_asks_for_is_kept(fake, refused, given):
    asked = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True) if given == "date" else given
    fake.answers = [refused(429, headers={"Retry-After": asked}), ok(ME)]
    fake.client().get_me()
    assert 6 < fake.waited[0] <= 8


def test_who_asks_for_more_patience_than_the_client_has_is_not_asked_again(fake, refused):
    fake.answers = [refused(429, "too_many_requests", headers={"Retry-After": "3600"})]
    with pytest.raises(problems.TooManyRequests) as met:
        fake.client().get_me()
    assert (met.value.retry_after, fake.waited) == (3600, [])


@pytest.mark.parametrize("first", [lost(), 503, 504], ids=str)
def test_a_post_is_sent_again_under_the_same_key(fake, refused, first):
    fake.answers = [first if isinstance(first, Exception) else refused(first), ok(WEBHOOK, 201)]
    fake.client().create_webhook("c", models.CreateWebhook(url="https://a.example/"))
    keys = {one.headers["idempotency-key"] for one in fake.asked}
    assert (len(fake.asked), len(keys)) == (2, 1)
    assert len({one.content for one in fake.asked}) == 1


def test_two_calls_have_two_keys_unless_the_caller_says_one(fake):
    fake.answers = [ok(WEBHOOK, 201) for _ in range(3)]
    hub, body = fake.client(), models.CreateWebhook(url="https://a.example/")
    hub.create_webhook("c", body)
    hub.create_webhook("c", body)
    hub.create_webhook("c", body, idempotency_key="mine")
    first, second, third = (one.headers["idempotency-key"] for one in fake.asked)
    assert first != second
    assert third == "mine"


def test_a_post_that_is_still_going_on_elsewhere_is_waited_for(fake, refused):
    fake.answers = [lost(), refused(409, "idempotency_key_in_use"), ok(WEBHOOK, 201)]
    assert fake.client().create_webhook("c", models.CreateWebhook(url="https://a.example/")).id == "w"


def test_a_change_without_a_key_is_not_sent_twice_when_nobody_knows_whether_it_arrived(fake):
    fake.answers = [lost()]
    with pytest.raises(problems.NotReached):
        fake.client().update_webhook("c", "w", models.UpdateWebhook(description="new"))
    assert fake.waited == []


@pytest.mark.parametrize("first", [not_connected(), 429], ids=str)
def test_a_change_that_surely_did_nothing_is_sent_again(fake, refused, first):
    fake.answers = [first if isinstance(first, Exception) else refused(first), ok(WEBHOOK)]
    assert fake.client().update_webhook("c", "w", models.UpdateWebhook(description="new")).id == "w"


def test_what_is_gone_after_a_deletion_whose_answer_was_lost_is_deleted(fake, refused):
    fake.answers = [lost(), refused(404, "webhook_not_found")]
    fake.client().delete_webhook("c", "w")
    fake.answers = [refused(404, "webhook_not_found")]
    with pytest.raises(problems.NotFound):
        fake.client().delete_webhook("c", "w")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "bad_request", problems.Invalid),
        (401, "not_signed_in", problems.NotSignedIn),
        (403, "permission_missing", problems.NotAllowed),
        (404, "client_not_found", problems.NotFound),
        (409, "version_conflict", problems.Conflict),
        (410, "wizard_cancelled", problems.Ended),
        (412, "version_conflict", problems.Conflict),
        (413, "body_too_large", problems.Invalid),
        (415, "unsupported_media_type", problems.Invalid),
        (418, "of_tomorrow", problems.HubProblem),
        (422, "invalid", problems.Invalid),
        (502, "credentials_refused", problems.ErpRefused),
    ],
)
def test_each_problem_is_an_exception_of_its_kind_and_not_asked_again(fake, refused, status, code, kind):
    wrong = [{"pointer": "/name", "code": "blank", "detail": "Give it a name."}]
    fake.answers = [refused(status, code, errors=wrong, more=7)]
    with pytest.raises(HubProblem) as met:
        fake.client().get_me()
    found = met.value
    assert type(found) is kind
    assert (found.status, found.code, found.detail, found.members["more"]) == (status, code, "What to do.", 7)
    assert found.errors == (problems.FieldProblem("/name", "blank", "Give it a name."),)
    assert "What to do." in str(found)


def test_an_answer_that_is_no_problem_document_is_told_by_its_status(fake):
    fake.answers = [httpx.Response(404, text="<html>no</html>")]
    with pytest.raises(problems.NotFound, match="404"):
        fake.client().get_me()


def test_pages_are_read_one_after_the_other_and_no_further_than_asked(fake):
    def page(*ids: str, cursor: str | None) -> httpx.Response:
        return ok({"items": [WEBHOOK | {"id": one} for one in ids], "next": cursor})

    fake.answers = [page("a", "b", cursor="more"), page("c", cursor=None)]
    found = fake.client().iterate_webhooks("c", limit=2)
    assert next(found).id == "a"
    assert len(fake.asked) == 1
    assert [one.id for one in found] == ["b", "c"]
    assert [dict(one.url.params) for one in fake.asked] == [{"limit": "2"}, {"limit": "2", "next": "more"}]


def test_only_what_was_set_is_sent_and_amounts_are_exact(fake):
    fake.answers = [httpx.Response(418)]
    sold = models.Sales(vat_rate="25", amount=Decimal("1250.10"), vat=Decimal("250.02"))
    document = models.SettlementDocument(date=date(2026, 3, 5), number=311, sales=[sold])
    with pytest.raises(HubProblem):
        fake.client().submit_document("c", "n/1", "settlement", "Z 1", document, pdf=True)
    (asked,) = fake.asked
    assert asked.url.raw_path == b"/prod/clients/c/connections/n%2F1/documents/settlement/Z%201?pdf=true"
    assert asked.content == (
        b'{"date":"2026-03-05","number":311,"sales":[{"vat_rate":"25","amount":"1250.10","vat":"250.02"}]}'
    )


def test_a_file_goes_where_the_hub_says_without_our_token(fake):
    fake.answers = [lost(), httpx.Response(200)]
    fake.client().put_file("https://files.example.test/put?signed=1", b"%PDF", {"Content-Type": "application/pdf"})
    first, second = fake.asked
    assert "authorization" not in first.headers
    assert second.content == b"%PDF"


class Renewing:
    """A token that can be renewed once."""

    def __init__(self) -> None:
        self.shown = "old"

    def current(self) -> str:
        return self.shown

    def renewed(self, refused: str) -> str | None:
        self.shown = "new"
        return None if refused == "new" else "new"


def test_a_token_that_was_refused_is_renewed_once(fake, refused):
    fake.answers = [refused(401, "sign_in_expired"), ok(ME), refused(401), refused(401)]
    hub = fake.client(Renewing())
    hub.get_me()
    assert [one.headers["authorization"] for one in fake.asked] == ["Bearer old", "Bearer new"]
    with pytest.raises(problems.NotSignedIn):
        hub.get_me()


def test_an_answer_of_another_version_is_told_as_that(fake):
    fake.answers = [ok({"id": "u1"})]
    with pytest.raises(problems.NotUnderstood, match="GET /me"):
        fake.client().get_me()
