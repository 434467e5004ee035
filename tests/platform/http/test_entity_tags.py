"""Entity tags as RFC 9110 writes and compares them."""

import pytest

from erphub.platform.http.entity_tags import EntityTag, read_tags


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ('"xyzzy"', [EntityTag("xyzzy")]),
        ('W/"xyzzy"', [EntityTag("xyzzy", is_weak=True)]),
        ('""', [EntityTag("")]),
        (
            '"xyzzy", "r2d2xxxx" ,\tW/"c3piozzzz"',
            [EntityTag("xyzzy"), EntityTag("r2d2xxxx"), EntityTag("c3piozzzz", True)],
        ),
        ('"a,b", "c"', [EntityTag("a,b"), EntityTag("c")]),
        (', "a",,', [EntityTag("a")]),
        *((text, None) for text in ("", ",", "a", '"a', 'a"', '"a" "b"', 'w/"a"', "*", '"a", *', '"\x7f"', '"a b"')),
    ],
)
def test_a_list_of_tags_is_read_and_nothing_else_is(text: str, tags: list[EntityTag] | None):
    assert read_tags(text) == tags


def test_a_weak_tag_names_no_version_for_a_write_and_is_the_same_for_a_reader():
    strong, weak = EntityTag("7-ab"), EntityTag("7-ab", is_weak=True)
    assert (strong.version, weak.version) == (7, None)
    assert strong.matches_weakly(weak)
    assert [EntityTag(text).version for text in ("7", "7-", "x7", "-7", "7x", "", "9" * 16)] == [
        *(7, 7, None, None, None, None, None)
    ]


def test_the_tag_is_another_one_for_whatever_is_shown_otherwise():
    tags = {str(EntityTag.of(text, version)) for text in ("a", "b") for version in (None, 1, 2)}
    assert len(tags) == 6
    assert str(EntityTag.of("a", 1)) == str(EntityTag.of("a", 1))
    assert str(EntityTag.of("a", is_weak=True)).startswith('W/"')
