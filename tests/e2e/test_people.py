"""People on the deployed hub: found in the user pool, invited into it, given a role and taken out."""

from uuid import uuid4

import pytest

from erphub.tenancy.ports import UserDirectory
from tests.e2e.wizard import WizardUser
from tests.support.connect import FakeUsers


class DeployedUsers:
    """The hub's own user pool, looked at as the hub's code looks at it."""

    def __init__(self, hub):
        self._hub = hub

    def __getattr__(self, name):
        from erphub.tenancy import cognito as users

        def ask(who):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(users, "client", self._hub.aws.client)
                return getattr(users.CognitoUsers(self._hub.outputs["UserPoolId"]), name)(who)

        return ask


@pytest.fixture(params=["fake", "deployed"])
def users(request) -> UserDirectory:
    return FakeUsers() if request.param == "fake" else DeployedUsers(request.getfixturevalue("hub"))


@pytest.fixture
def address():
    return f"new-{uuid4().hex[:8]}@example.test"


def test_somebody_is_found_by_address_and_by_id(users, address):
    made = users.invite(address)
    assert made.email == address
    assert users.find(address) == made
    assert users.find(made.id) == made


def test_nobody_is_found_under_a_name_that_is_not_there(users):
    assert users.find("nobody@example.test") is None
    assert users.find("00000000-0000-4000-8000-000000000000") is None


def test_an_invitation_sent_twice_makes_one_user(users, address):
    assert users.invite(address) == users.invite(address)


def test_a_colleague_is_invited_by_address_given_a_role_and_taken_out_again(hub, address):
    user = WizardUser(hub)
    added = user.call("PUT", f"/members/{address}", json={"role": "viewer"})
    assert (added.status_code, added.json()["member"]["name"]) == (200, address), added.text
    again = user.call("PUT", f"/members/{address}", json={"role": "accountant"})
    assert (again.json()["member"], again.json()["version"]) == (added.json()["member"], 2)
    members = user.call("GET", "/members?limit=200").json()["items"]
    assert (added.json()["member"], "accountant") in [(one["member"], one["role"]) for one in members]
    assert user.call("DELETE", f"/members/{address}").status_code == 204
    assert user.call("DELETE", f"/members/{address}").status_code == 404


def test_who_is_invited_belongs_to_the_client_once_they_accept_and_nobody_by_their_id_alone(hub):
    user, outsider = WizardUser.of_a_new_customer(hub), hub.user("outsider")
    by_id = user.call("PUT", f"/members/{outsider['id']}", json={"role": "viewer"})
    assert (by_id.status_code, [one["code"] for one in by_id.json()["errors"]]) == (422, ["user_unknown"])
    asked = user.call("PUT", f"/members/{outsider['name']}", json={"role": "viewer"})
    assert (asked.status_code, asked.json()["status"]) == (200, "invited"), asked.text
    connections = f"/clients/{user.client}/connections"
    assert hub.call("GET", connections, user="outsider").status_code == 404
    invitations = hub.call("GET", "/me", user="outsider").json()["invitations"]
    invitation = next(one for one in invitations if one["client_id"] == user.client)
    assert (invitation["role"], invitation["invited_by"]["name"]) == ("viewer", hub.user("administrator")["name"])
    path = f"/me/invitations/{invitation['id']}"
    assert hub.call("POST", f"{path}/accept", user="neighbour").status_code == 404
    for _ in range(2):
        accepted = hub.call("POST", f"{path}/accept", user="outsider")
        assert (accepted.status_code, accepted.json()["role"]) == (200, "viewer"), accepted.text
    assert hub.call("GET", connections, user="outsider").status_code == 200
    assert user.call("DELETE", f"/members/{outsider['name']}").status_code == 204
    assert hub.call("POST", f"{path}/accept", user="outsider").status_code == 410


def test_the_first_administrator_was_made_at_deployment(hub):
    me = hub.call("GET", "/me").json()
    assert me["is_platform_administrator"] is True
