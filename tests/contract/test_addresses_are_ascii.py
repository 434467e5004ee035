"""No letter that looks like another, no hidden character and no other script's dot stands in an address."""

from collections.abc import Callable
from typing import Any, override

import pytest

from erphub.erp.transports.sqlserver import address
from erphub.platform.errors import Invalid
from erphub.platform.outbound.https import address as webhook_address
from erphub.tenancy.models import User
from erphub.tenancy.people import PersonLookup
from erphub.tenancy.ports import UserDirectory

ODD = {
    "Cyrillic a": "b\u0430nk.example.com",
    "Greek omicron": "c\u03bfmpany.example.com",
    "Latin alpha": "b\u0251nk.example.com",
    "full-width letter": "\uff42ank.example.com",
    "full-width dot": "bank\uff0eexample.com",
    "ideographic dot": "bank\u3002example.com",
    "slash that is none": "bank.example.com\u2044x.example.net",
    "dotless i": "b\u0131nk.example.com",
    "right-to-left override": "\u202emoc.elpmaxe.knab",
    "isolate": "\u2066bank\u2069.example.com",
    "zero width space": "ba\u200bnk.example.com",
    "zero width joiner": "ba\u200dnk.example.com",
    "soft hyphen": "ba\u00adnk.example.com",
    "no-break space": "bank.example.com\u00a0",
    "line break": "bank.example.com\nx",
    "escape": "bank.example.com\x1b[2J",
    "Norwegian": "bl\u00e5b\u00e6r.example.com",
}
PLAIN = ("bank.example.com", "xn--blbr-roah.example.com")


class Invitations(UserDirectory):
    """Nobody is known, whoever is named is invited."""

    @override
    def find(self, who: str) -> User | None:
        return None

    @override
    def invite(self, email: str) -> User:
        return User("1", email)


def _person(email: str) -> User:
    return PersonLookup(Invitations()).find_or_invite(email, "/administrator")


ROADS: dict[str, Callable[[str], Any]] = {
    "a person's host": lambda host: _person(f"kari@{host}"),
    "a person's name at a host": lambda name: _person(f"{name}@example.com"),
    "a webhook": lambda host: webhook_address(f"https://{host}/hook"),
    "a SQL Server": address.parse,
    "a SQL Server's instance": lambda host: address.parse(f"{host}\\VISMA"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("road", ROADS)
def test_what_could_be_taken_for_another_address_is_refused(road: str, name: str) -> None:
    with pytest.raises(Invalid):
        ROADS[road](ODD[name])


@pytest.mark.parametrize("host", PLAIN)
@pytest.mark.parametrize("road", ROADS)
def test_an_address_in_its_ascii_form_is_taken(road: str, host: str) -> None:
    assert ROADS[road](host)
