"""Every answer says how many requests are left, in the fields of the IETF's draft; a refused one when to come again."""

import re

from tests.support.hub import Hub

ITEM = re.compile(r'"(\w+)";(?:q=(\d+);w=(\d+)|r=(\d+);t=(\d+))')


def told(hub: Hub, path: str, **more: object) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    headers = hub.call("GET", path, **more).headers
    policy = {name: (int(q), int(w)) for name, q, w, _, _ in ITEM.findall(headers["RateLimit-Policy"])}
    left = {name: (int(r), int(t)) for name, _, _, r, t in ITEM.findall(headers["RateLimit"])}
    return policy, left


def test_an_answer_says_how_many_requests_are_left_of_the_caller_and_of_the_client(hub: Hub) -> None:
    path = f"/clients/{hub.client}/connections"
    policy, first = told(hub, path)
    assert policy == {"caller_requests_per_minute": (6000, 60), "requests_per_minute": (3000, 60)}
    _, second = told(hub, path)
    for name, (maximum, window) in policy.items():
        assert second[name][0] == first[name][0] - 1 < maximum
        assert 0 < second[name][1] <= window


def test_what_anybody_may_ask_is_not_counted_and_says_nothing(hub: Hub) -> None:
    assert "RateLimit" not in hub.call("GET", "/problems", user=None).headers
