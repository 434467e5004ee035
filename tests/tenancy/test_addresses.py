"""An address that the sign-in service refuses is refused before anything is stored."""

import pytest

from tests.support.hub import Hub

REFUSED = [
    ".a@example.com",
    "a.@example.com",
    "a..b@example.com",
    "æøå@example.com",
    "a@example",
    "a@-example.com",
    "a@example-.com",
    "a@.example.com",
    "a@example..com",
    "a@example.com.",
    "@example.com",
    "a@",
    "a@@example.com",
    "a" * 65 + "@example.com",
]


@pytest.mark.parametrize("address", REFUSED)
def test_it_is_refused_with_a_code_and_nothing_is_stored(hub: Hub, address: str):
    before = hub.items()
    answer = hub.call("PUT", hub.in_client(f"/members/{address}"), {"role": "viewer"})
    assert (answer.status, answer.json["errors"][0]["code"]) == (422, "address_invalid")
    assert hub.items() == before


@pytest.mark.parametrize("address", ["plain@example.com", "a.b+c_d@mail.example.co", "A1@x-y.example.com"])
def test_an_address_that_is_one_is_invited(hub: Hub, address: str):
    assert hub.call("PUT", hub.in_client(f"/members/{address}"), {"role": "viewer"}).json["status"] == "invited"
