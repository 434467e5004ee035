"""Whose an e-mail address is: rights are given to addresses, so one that was not confirmed is nobody's."""

from typing import Any
from unittest import mock

import pytest

from erphub.platform.errors import Conflict
from erphub.tenancy import cognito as users
from erphub.tenancy.models import User

ID = "0f0e0d0c-0000-4000-8000-000000000001"
ADDRESS = "cfo@victim.example"


def known(verified: str | None, email: str = ADDRESS) -> dict[str, Any]:
    facts = {"sub": ID, "email": email} | ({"email_verified": verified} if verified else {})
    return {"Username": ID, "UserAttributes": [{"Name": name, "Value": value} for name, value in facts.items()]}


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    service = mock.Mock()
    monkeypatch.setattr(users, "client", lambda _: service)
    return service


def test_somebody_who_confirmed_an_address_is_found_by_it(pool: mock.Mock):
    pool.admin_get_user.return_value = known("true")
    assert users.CognitoUsers("p").find(ADDRESS.upper()) == User(ID, ADDRESS)
    assert users.CognitoUsers("p").find(ID) == User(ID, ADDRESS)


@pytest.mark.parametrize("answer", [known("false"), known(None), known("true", "somebody.else@example.test")])
def test_an_address_that_somebody_only_says_is_theirs_gives_them_nothing(pool: mock.Mock, answer: dict[str, Any]):
    pool.admin_get_user.return_value = answer
    with pytest.raises(Conflict) as refused:
        users.CognitoUsers("p").find(ADDRESS)
    assert refused.value.code == "email_unconfirmed"


def test_by_their_id_they_are_found_without_the_address(pool: mock.Mock):
    pool.admin_get_user.return_value = known("false")
    assert users.CognitoUsers("p").find(ID) == User(ID, None)
