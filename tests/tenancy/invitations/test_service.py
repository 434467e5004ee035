"""Somebody is asked into a client and belongs to it once they have accepted: before that they have no right at all."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from erphub import app
from erphub.platform.aws.table import Table
from erphub.platform.errors import Unavailable
from erphub.tenancy.dynamodb import PlatformAdministratorTable
from erphub.tenancy.invitations.dynamodb import InvitationTable
from erphub.tenancy.invitations.models import INVITATION_LIFETIME
from erphub.tenancy.invitations.tasks import ExpiredInvitations
from tests.support.aws import on_both
from tests.support.hub import ACCOUNTANT, ADMINISTRATOR, NEIGHBOUR, VIEWER, Answer, Hub, handler_module

CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 120_000, aws_request_id="r")
LATER = {"seconds": INVITATION_LIFETIME.total_seconds()}


def invited(hub: Hub, user: str = NEIGHBOUR) -> list[dict[str, Any]]:
    return hub.call("GET", "/me", user=user).json["invitations"]


def answered(hub: Hub, invitation: str, answer: str = "accept", user: str = NEIGHBOUR) -> Answer:
    return hub.call("POST", f"/me/invitations/{invitation}/{answer}", user=user)


def status(hub: Hub, user: str = NEIGHBOUR) -> str | None:
    listed = hub.call("GET", hub.in_client("/members"), query={"limit": "200"}).json["items"]
    return next((one["status"] for one in listed if one["member"]["id"] == user), None)


def acts(hub: Hub) -> list[str]:
    listed = hub.call("GET", hub.in_client("/audit"), query={"limit": "200"}).json["items"]
    return [one["action"] for one in reversed(listed)]


def sees(hub: Hub, user: str = NEIGHBOUR) -> int:
    return hub.call("GET", hub.in_client("/connections"), user=user).status


def remove(hub: Hub, user: str = NEIGHBOUR) -> Answer:
    return hub.call("DELETE", hub.in_client(f"/members/{user}"))


@on_both
def test_an_invitation_counts_when_it_is_accepted_and_in_the_role_that_was_offered(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    assert (sees(hub), status(hub)) == (404, "invited")
    (told,) = invited(hub)
    assert (told["id"], told["client_id"], told["client_name"]) == (invitation, hub.client, "Client of administrator")
    assert (told["role"], told["invited_by"]["name"]) == ("viewer", "administrator@example.test")
    assert told["permissions"] == ["connections:view", "data:view", "links:view"]
    assert told["ends_at"] == (hub.time[0] + INVITATION_LIFETIME).isoformat().replace("+00:00", "Z")
    accepted = answered(hub, invitation)
    assert (accepted.status, accepted.json["id"], accepted.json["role"]) == (200, hub.client, "viewer")
    assert (sees(hub), status(hub), invited(hub)) == (200, "active", [])
    assert acts(hub) == ["invitation.created", "invitation.accepted"]


@pytest.mark.parametrize("permission", ["connections:view", "members:manage", "audit:view"])
def test_before_it_is_accepted_it_opens_nothing_whatever_the_role(hub: Hub, permission: str):
    hub.invite(NEIGHBOUR, "administrator")
    paths = {"connections:view": "/connections", "members:manage": "/members", "audit:view": "/audit"}
    refused = hub.call("GET", hub.in_client(paths[permission]), user=NEIGHBOUR)
    assert (refused.status, refused.code) == (404, "client_not_found")
    assert [one["id"] for one in hub.call("GET", "/me", user=NEIGHBOUR).json["clients"]] == [hub.other_client]


def test_who_belongs_to_another_client_of_the_customer_is_asked_as_well(hub: Hub):
    assert hub.call("GET", "/me", user=NEIGHBOUR).json["customers"][0]["id"] == hub.customer
    hub.invite(NEIGHBOUR, "viewer")
    assert status(hub) == "invited"


def test_who_declines_is_no_member_and_not_invited_any_more(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    assert answered(hub, invitation, "decline").status == 204
    assert answered(hub, invitation, "decline").status == 204, "the answer may have been lost"
    assert (status(hub), sees(hub), invited(hub)) == (None, 404, [])
    late = answered(hub, invitation)
    assert (late.status, late.code) == (410, "invitation_ended")
    assert acts(hub) == ["invitation.created", "invitation.declined"]


def test_what_was_accepted_cannot_be_declined(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    answered(hub, invitation)
    refused = answered(hub, invitation, "decline")
    assert (refused.status, refused.code, sees(hub)) == (409, "invitation_accepted", 200)


@on_both
def test_a_revoked_invitation_cannot_be_accepted(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    assert remove(hub).status == 204
    late = answered(hub, invitation)
    assert (late.status, late.code, sees(hub), invited(hub)) == (410, "invitation_ended", 404, [])
    assert (remove(hub).code, acts(hub)) == ("member_not_found", ["invitation.created", "invitation.revoked"])


def test_another_role_is_another_offer_and_the_old_one_is_over(hub: Hub):
    seen = hub.invite(NEIGHBOUR, "administrator")
    changed = hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "viewer", "version": 1})
    assert (changed.json["status"], changed.json["role"], changed.json["version"]) == ("invited", "viewer", 2)
    for answer in ("accept", "decline"):
        assert (answered(hub, seen, answer).code, sees(hub)) == ("invitation_ended", 404)
    (told,) = invited(hub)
    assert (told["role"], answered(hub, told["id"]).json["role"]) == ("viewer", "viewer")
    stale = hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "accountant", "version": 2})
    assert (stale.status, stale.code) == (409, "version_conflict")


def test_the_same_offer_again_is_the_same_invitation(hub: Hub):
    first = hub.invite(NEIGHBOUR, "viewer")
    assert (hub.invite(NEIGHBOUR, "viewer"), acts(hub)) == (first, ["invitation.created"])


def test_an_invitation_ends_after_a_week_and_can_be_made_anew(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    hub.pass_time(seconds=LATER["seconds"] - 1)
    assert len(invited(hub)) == 1
    hub.pass_time(seconds=1)
    assert (invited(hub), status(hub), answered(hub, invitation).code) == ([], "expired", "invitation_ended")
    again = hub.invite(NEIGHBOUR, "viewer")
    assert again != invitation
    assert (answered(hub, again).status, sees(hub)) == (200, 200)


@on_both
def test_what_nobody_answered_is_removed_and_written_down_once(hub: Hub):
    hub.invite(NEIGHBOUR, "viewer")

    def swept() -> int:
        """The clock's event of every ten minutes."""
        return int(handler_module("wizard").handler({"task": "sweep_wizards"}, CONTEXT)["invitations_ended"])

    assert (swept(), status(hub)) == (0, "invited")
    hub.pass_time(**LATER)
    assert (swept(), swept(), status(hub)) == (1, 0, None)
    assert acts(hub) == ["invitation.created", "invitation.expired"]
    entry = hub.call("GET", hub.in_client("/audit")).json["items"][0]
    assert (entry["actor"]["id"], entry["new"]["email"]) == ("hub", "neighbour@example.test")


def test_one_invitation_that_cannot_be_ended_does_not_keep_the_others(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    hub.invite(NEIGHBOUR, "viewer")
    hub.call("PUT", hub.in_client("/members/other@example.test"), {"role": "viewer"})
    hub.pass_time(**LATER)
    delete = InvitationTable.delete

    def refuse_one(self: InvitationTable, invitation: Any) -> None:
        if invitation.invited.id == NEIGHBOUR:
            raise Unavailable("busy")
        delete(self, invitation)

    with monkeypatch.context() as patch:
        patch.setattr(InvitationTable, "delete", refuse_one)
        with pytest.raises(Unavailable, match="1 invitations"):
            app.services().get(ExpiredInvitations).sweep()
    assert status(hub) == "expired"
    assert acts(hub).count("invitation.expired") == 1


# --- twice, at once, with the answer lost -----------------------------------------------------------------------------


@on_both
def test_accepted_twice_at_once_it_is_accepted_once_and_both_are_told_so(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    inner = meanwhile(monkeypatch, "accept", lambda: answered(hub, invitation))
    outer = answered(hub, invitation)
    assert (outer.status, outer.json) == (200, inner[0].json)
    assert acts(hub) == ["invitation.created", "invitation.accepted"]
    assert role_count(hub, "viewer") == 2


def test_accepted_again_after_the_answer_was_lost_it_is_the_same_answer(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    first, second = answered(hub, invitation), answered(hub, invitation)
    assert (second.status, second.json) == (200, first.json)
    assert (acts(hub).count("invitation.accepted"), role_count(hub, "viewer")) == (1, 2)


def test_what_was_accepted_once_lets_nobody_in_after_they_were_taken_out(hub: Hub):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    answered(hub, invitation)
    hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "accountant"})
    assert answered(hub, invitation).json["role"] == "accountant", "as they are now, not as they were invited"
    remove(hub)
    assert (answered(hub, invitation).status, sees(hub)) == (410, 404)


@pytest.mark.parametrize("ended", ["revoked", "declined", "changed"])
def test_what_ends_at_the_moment_it_is_accepted_is_not_accepted(hub: Hub, monkeypatch: pytest.MonkeyPatch, ended: str):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    first: dict[str, Callable[[], Answer]] = {
        "revoked": lambda: remove(hub),
        "declined": lambda: answered(hub, invitation, "decline"),
        "changed": lambda: hub.call("PUT", hub.in_client("/members/neighbour"), {"role": "accountant"}),
    }
    inner = meanwhile(monkeypatch, "accept", first[ended])
    outer = answered(hub, invitation)
    assert (inner[0].status < 300, outer.status, outer.code, sees(hub)) == (True, 410, "invitation_ended", 404)
    assert "invitation.accepted" not in acts(hub)


@pytest.mark.parametrize("act", ["revoked", "changed"])
def test_what_is_accepted_at_the_moment_it_is_taken_back_stays_accepted_and_that_is_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, act: str
):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    inner = meanwhile(monkeypatch, "delete" if act == "revoked" else "save", lambda: answered(hub, invitation))
    path = hub.in_client("/members/neighbour")
    outer = hub.call("DELETE", path) if act == "revoked" else hub.call("PUT", path, {"role": "accountant"})
    assert (inner[0].status, outer.status, sees(hub), status(hub)) == (200, 409, 200, "active")
    assert remove(hub).status == 204


def test_two_who_invite_the_same_person_at_once_make_one_invitation(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    hub.call("PUT", hub.in_client("/members/accountant"), {"role": "administrator"})
    path = hub.in_client("/members/neighbour@example.test")
    inner = meanwhile(monkeypatch, "save", lambda: hub.call("PUT", path, {"role": "viewer"}, user=ACCOUNTANT))
    outer = hub.call("PUT", path, {"role": "administrator"})
    assert (inner[0].status, outer.status) == (200, 409)
    assert [one["role"] for one in invited(hub)] == ["viewer"]


def test_a_role_that_is_gone_cannot_be_accepted(hub: Hub):
    role = f"/customers/{hub.customer}/roles/temporary"
    hub.call("PUT", role, {"permissions": ["data:view"]})
    invitation = hub.invite(NEIGHBOUR, "temporary")
    assert hub.call("DELETE", role).status == 204, "nobody has it yet"
    refused = answered(hub, invitation)
    assert (refused.status, refused.code, sees(hub)) == (409, "role_gone", 404)


# --- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["accept", "decline"])
@pytest.mark.parametrize("other", [VIEWER, ADMINISTRATOR, "stranger"])
def test_an_invitation_is_answered_by_the_invited_alone(hub: Hub, answer: str, other: str):
    invitation = hub.invite(NEIGHBOUR, "viewer")
    refused = answered(hub, invitation, answer, user=other)
    assert (refused.status, refused.code) == (404, "invitation_not_found")
    assert (status(hub), invited(hub, other)) == ("invited", [])


@on_both
def test_an_id_reveals_neither_an_address_nor_that_there_is_somebody(hub: Hub):
    stranger = hub.users.invite("stranger@example.test").id
    for method, path, body in (
        ("PUT", hub.in_client("/members/{}"), {"role": "viewer"}),
        ("DELETE", hub.in_client("/members/{}"), None),
        ("PUT", f"/customers/{hub.customer}/administrators/{{}}", None),
        ("DELETE", f"/customers/{hub.customer}/administrators/{{}}", None),
    ):
        known, unknown = (hub.call(method, path.format(one), body) for one in (stranger, "nobody-at-all"))
        assert known.status in (404, 422)
        assert (known.status, known.json) == (unknown.status, unknown.json)
        assert "@" not in known.text


def test_members_are_listed_before_the_invited_page_by_page(hub: Hub):
    for number in range(3):
        hub.call("PUT", hub.in_client(f"/members/a{number}@example.test"), {"role": "viewer"})
    found, cursor = [], None
    while True:
        query = {"limit": "2"} | ({"next": cursor} if cursor else {})
        page = hub.call("GET", hub.in_client("/members"), query=query).json
        found += [one["status"] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert found == ["active"] * 3 + ["invited"] * 3


def test_nobody_invites_to_more_than_they_have_nor_takes_back_what_is_more(hub: Hub):
    hub.call("PUT", f"/customers/{hub.customer}/roles/hr", {"permissions": ["members:manage"]})
    hub.call("PUT", hub.in_client("/members/viewer"), {"role": "hr"})
    path = hub.in_client("/members/neighbour@example.test")
    assert hub.call("PUT", path, {"role": "viewer"}, user=VIEWER).code == "role_exceeds_own"
    hub.invite(NEIGHBOUR, "administrator")
    for method, body in (("PUT", {"role": "hr"}), ("DELETE", None)):
        assert hub.call(method, path, body, user=VIEWER).code == "role_exceeds_own"
    assert invited(hub)[0]["role"] == "administrator"


def test_a_refused_invitation_mails_nobody_and_is_in_no_log(hub: Hub):
    people = dict(hub.users.people)
    path = f"/customers/{hub.customer}/limits/invitations_per_day"
    PlatformAdministratorTable(Table(hub.table)).add("operator")
    assert hub.call("PUT", path, {"maximum": 0, "client_id": hub.client}, user="operator").status == 200
    refused = hub.call("PUT", hub.in_client("/members/new@example.test"), {"role": "viewer"})
    assert (refused.status, refused.json["limit"], hub.users.people) == (429, "invitations_per_day", people)
    assert acts(hub) == ["limit.changed"], "what is set for one client stands in its log"
    entry = hub.call("GET", hub.in_client("/audit")).json["items"][0]
    assert (entry["old"], entry["new"]["maximum"]) == ({"maximum": 30}, 0)


def role_count(hub: Hub, role: str) -> int:
    item = Table(hub.table).get({"pk": f"CUSTOMER#{hub.customer}", "sk": f"ROLE#{role}"})
    assert item
    return int(item["member_count"])


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, do: Callable[[], Answer]) -> list[Answer]:
    """`do` happens just before the store's first `name`, and what it was answered."""
    inner: list[Answer] = []
    begun: list[None] = []
    real = getattr(InvitationTable, name)

    def first(self: InvitationTable, *given: Any) -> Any:
        if not begun:
            begun.append(None)
            inner.append(do())
        return real(self, *given)

    monkeypatch.setattr(InvitationTable, name, first)
    return inner
