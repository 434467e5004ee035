"""Examples are taken from answers: the one that says most, without what was only so that day."""

from typing import Any

import pytest

from local.answer_examples import as_example, merged, richness


def test_identifiers_are_counted_and_instants_are_minutes_apart_in_their_order() -> None:
    given = {
        "id": "01M8H6FZP9EWTPCHHCEVPB58KF",
        "of": {"id": "01M8H6FZP9EWTPCHHCEVPB58KG", "again": "01M8H6FZP9EWTPCHHCEVPB58KF"},
        "ended_at": "2026-11-22T09:00:00Z",
        "began_at": "2026-11-22T08:00:00.5Z",
        "by": "8d0f6a52-0c1d-4f5e-8a9b-1234567890ab",
    }
    assert as_example(given) == {
        "id": "01JCG0W1ZARD00000000000000",
        "of": {"id": "01JCG0W1ZARD00000000000001", "again": "01JCG0W1ZARD00000000000000"},
        "ended_at": "2026-03-05T08:31:00Z",
        "began_at": "2026-03-05T08:30:00Z",
        "by": "8a6f0c3e-1d2b-4c5d-9e7f-000000000001",
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"key": "ehk_" + "a" * 40}, {"key": "ehk_…"}),
        ({"secret": "whsec_" + "A+/=" * 10}, {"secret": "whsec_…"}),
        ({"items": [1, 2, 3], "next": "abc"}, {"items": [1, 2], "next": "opaque"}),
        ({"next": None}, {"next": None}),
    ],
)
def test_secrets_and_places_are_not_shown_and_lists_are_short(given: Any, shown: Any) -> None:
    assert as_example(given) == shown
    assert as_example(shown) == shown


def always(_: str, __: Any) -> bool:
    return True


def never(_: str, __: Any) -> bool:
    return False


def test_of_several_answers_the_one_that_says_most_is_taken_and_what_is_there_stays_while_it_fits() -> None:
    thin: Any
    rich: Any
    thin, rich = {"name": "", "items": []}, {"name": "Till", "items": ["a"]}
    assert richness(rich) > richness(thin) > richness({"name": "", "items": [], "more": None})
    assert merged([{"get": thin}, {"get": rich}], {}, always) == {"get": rich}
    assert merged([{"get": rich}], {"get": thin}, always) == {"get": thin}
    assert merged([{"get": rich}], {"get": thin, "gone": thin}, never) == {"get": rich}
