"""Whatever is matched: the order of what is given changes nothing, none is linked twice, and nothing is no evidence."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erphub.links.matching.models import Party, Suggestion, SuggestionClass
from erphub.links.matching.suggestions import Known, suggest
from tests.links.matching.parties import OTHER_NUMBER, THIRD_NUMBER, kinds, one, party

pytestmark = pytest.mark.generated

NAMES = (
    "",
    "Bryn",
    "Bryn Bygg AS",
    "BRYN BYGG",
    "Bryn Byg",
    "Bryn Eiendom AS",
    "Fjell Transport",
    "Fjell avd Oslo",
    "AS",
)
NUMBERS = ("", "923609016", OTHER_NUMBER, THIRD_NUMBER, "NO 923 609 016 MVA", "923609017", "811228-9874", "x")
PHONES = ("", "22 33 44 55", "+47 22334455", "22334455 / 40404040", "40404040", "12345")
EMAILS = ("", "post@bryn.no", "salg@bryn.no", "bryn@gmail.com", "post@fjell.no")
STREETS = ("", "Storgata 1", "Storgt. 1", "Kirkegata 12", "Industriområdet")
POSTCODES = ("", "0153", "5003", "NO-0153")


def said(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def parties(side: str) -> st.SearchStrategy[list[Party]]:
    drawn = st.builds(
        lambda name, number, phone, email, street, postcode, is_sub_unit: Party(
            key="", name=name, number=number, phones=said(phone), emails=said(email), street=street,
            postcode=postcode, country="NO", is_sub_unit=is_sub_unit,
        ),
        *map(st.sampled_from, (NAMES, NUMBERS, PHONES, EMAILS, STREETS, POSTCODES)),
        st.booleans(),
    )  # fmt: skip
    return st.lists(drawn, max_size=6).map(
        lambda some: [replace(each, key=f"{side}{place}") for place, each in enumerate(some)]
    )


def judged(found: list[Suggestion]) -> list[tuple[str, str, str | None, list[str]]]:
    """All that does not weigh: keys, classes, reasons, candidates in their order."""
    return [(s.record_key, s.outcome, s.reason, [c.actor_key for c in s.candidates]) for s in found]


@given(parties("R"), parties("A"), st.randoms(use_true_random=False))
def test_the_order_of_records_and_actors_changes_nothing(records: list[Party], actors: list[Party], chance):
    before = suggest(records, actors)
    chance.shuffle(records)
    chance.shuffle(actors)
    assert suggest(records, actors) == before


@given(parties("R"), parties("A"))
def test_what_is_fit_to_be_confirmed_is_one_to_one(records: list[Party], actors: list[Party]):
    found = [s.candidates[0].actor_key for s in suggest(records, actors) if s.outcome is SuggestionClass.CONFIRMABLE]
    assert max(Counter(found).values(), default=1) == 1


@given(parties("R"), parties("A"))
def test_every_record_has_one_suggestion_and_every_candidate_has_evidence(records: list[Party], actors: list[Party]):
    found = suggest(records, actors)
    assert [s.record_key for s in found] == sorted(record.key for record in records)
    for s in found:
        assert len(s.candidates) <= 5
        assert all(c.evidence for c in s.candidates)
        assert (s.outcome is SuggestionClass.NONE) == (not s.candidates)
        assert (s.reason is None) == (s.outcome in (SuggestionClass.NONE, SuggestionClass.CONFIRMABLE))


@given(parties("R"), parties("A"))
def test_a_hidden_copy_of_an_actor_is_never_passed_over(records: list[Party], actors: list[Party]):
    """Entered a second time, whoever was fit to be confirmed is so no longer: a person chooses which entry stays."""
    fit = {
        s.record_key: s.candidates[0].actor_key
        for s in suggest(records, actors)
        if s.outcome is SuggestionClass.CONFIRMABLE
    }
    for record, actor in fit.items():
        copy = replace(next(each for each in actors if each.key == actor), key="copy")
        after = {s.record_key: s for s in suggest(records, [*actors, copy])}[record]
        assert after.outcome is not SuggestionClass.CONFIRMABLE
        assert {actor, "copy"} <= {c.actor_key for c in after.candidates}


@given(parties("R"), parties("A"))
def test_an_actor_that_has_nothing_in_common_with_anybody_changes_nothing(records: list[Party], actors: list[Party]):
    stranger = Party(
        key="Z", name="Zuckerwerk Qvist", number="556036-0793", country="SE", phones=("08-501 234 56",),
        emails=("hej@zuckerwerk.se",), street="Zgatan 99", postcode="98765", city="Zstad",
    )  # fmt: skip
    assert judged(suggest(records, [*actors, stranger])) == judged(suggest(records, actors))


@given(st.sampled_from(["name", "number", "street", "postcode", "city", "phones", "emails"]), st.booleans())
def test_an_empty_field_is_no_evidence_for_and_none_against(field: str, on_both: bool):
    empty = () if field in ("phones", "emails") else ""
    record = replace(party("R"), **{field: empty})
    actor = replace(party("A"), **{field: empty}) if on_both else party("A")
    found = one(record, actor)
    meant = {"name": {"name"}, "phones": {"phone"}, "emails": {"email", "domain"}}.get(field, {field})
    assert not meant & set(kinds(found.candidates[0]))


@given(parties("R"), parties("A"))
def test_what_is_linked_already_is_not_fit_to_be_confirmed(records: list[Party], actors: list[Party]):
    found = suggest(records, actors, Known(taken={actor.key for actor in actors}))
    assert all(s.outcome is not SuggestionClass.CONFIRMABLE for s in found)


@given(parties("R"), parties("A"))
def test_numbers_that_contradict_are_never_fit_to_be_confirmed(records: list[Party], actors: list[Party]):
    by_key = {each.key: each for each in [*records, *actors]}
    for s in suggest(records, actors):
        if s.outcome is SuggestionClass.CONFIRMABLE:
            ours, theirs = by_key[s.record_key].number, by_key[s.candidates[0].actor_key].number
            valid = {"923609016", OTHER_NUMBER, THIRD_NUMBER}
            assert not ({ours, theirs} <= valid and ours != theirs)
