"""A record is suggested the actor it is, with the evidence; what is not sure is left to a person, who learns why."""

from typing import Any

import pytest

from erphub.links.matching.index import SHARED_DOMAIN
from erphub.links.matching.models import EvidenceKind, NameLikeness, Party, PartyType, Reason, Rung, SuggestionClass
from erphub.links.matching.suggestions import Known, suggest, suggest_with_effort
from tests.links.matching.parties import BARE, OTHER_NUMBER, THIRD_NUMBER, kinds, one, party, person, verdict

CONFIRMABLE, REVIEW, RIVAL, CONTRADICTION, DUPLICATE, NONE = SuggestionClass
ELSEWHERE: dict[str, Any] = {
    "name": "Fjell Transport AS", "phones": ("55 11 22 33",), "emails": ("post@fjelltransport.no",),
    "street": "Havnegata 3", "postcode": "5003", "city": "Bergen", "country": "NO",
}  # fmt: skip

LADDER: dict[str, tuple[Party, tuple[Party, ...], SuggestionClass, Rung | Reason | None]] = {
    "number and name": (
        party("R", BARE, name="BRYN BYGG", number="NO 923 609 016 MVA"),
        (party("A"),),
        CONFIRMABLE,
        Rung.NUMBER_AND_NAME,
    ),
    "number and a mistyped name": (
        party("R", BARE, name="Bryn Bygh AS", number="923609016"),
        (party("A"),),
        CONFIRMABLE,
        Rung.NUMBER_AND_NAME,
    ),
    "number and phone under a trading name that nobody bears": (
        party("R", name="Solkroken", emails=(), street="", postcode="", city=""),
        (party("A"), party("B", ELSEWHERE)),
        CONFIRMABLE,
        Rung.NUMBER_AND_MORE,
    ),
    "number alone, under another name": (
        party("R", BARE, name="Solkroken", number="923609016"),
        (party("A"),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "a number that was copied from another company, whose own name is there": (
        party("R", ELSEWHERE, number="923609016"),
        (party("A", BARE, name="Bryn Bygg AS", number="923609016"), party("B", ELSEWHERE)),
        REVIEW,
        Reason.NUMBER_OF_ANOTHER,
    ),
    "a number that agrees where another bears the name": (
        party("R", BARE, name="Fjell Transport AS", number="923609016", phones=("22 33 44 55",)),
        (party("A"), party("B", BARE, name="Fjell Transport AS")),
        REVIEW,
        Reason.NAME_BORNE_BY_ANOTHER,
    ),
    "a sister company's number, with the switchboard and the house of both": (
        party("R", name="Bryn Eiendom AS"),
        (party("A"),),
        REVIEW,
        Reason.SISTER_NAME,
    ),
    "name, phone and domain": (
        party("R", number="", street="", postcode="", city=""),
        (party("A"),),
        CONFIRMABLE,
        Rung.NAME_AND_TWO,
    ),
    "name and phone": (
        party("R", BARE, name="Bryn Bygg", phones=("+47 22334455",)),
        (party("A"),),
        CONFIRMABLE,
        Rung.NAME_AND_ONE,
    ),
    "name and domain": (
        party("R", BARE, name="Bryn Bygg", websites=("https://www.brynbygg.no/om-oss",)),
        (party("A"),),
        CONFIRMABLE,
        Rung.NAME_AND_ONE,
    ),
    "name and postcode": (
        party("R", BARE, name="Bryn Bygg", postcode="NO-0153"),
        (party("A"),),
        CONFIRMABLE,
        Rung.NAME_AND_POSTCODE,
    ),
    "a mistyped name near by, which has nothing else in common": (
        party("R", BARE, name="Brynulfsem", postcode="0159"),
        (party("A", BARE, name="Brynulfsen AS", postcode="0153"),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "name and postcode, while phone and domain are others": (
        party("R", ELSEWHERE, name="Bryn Bygg", postcode="0153", city="Oslo", street=""),
        (party("A"),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "name alone": (party("R", BARE, name="Bryn Bygg"), (party("A"),), REVIEW, Reason.TOO_LITTLE),
    "phone, domain and street of a sister with another name": (
        party("R", name="Bryn Eiendom AS", number=""),
        (party("A"),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "a similar name and two agreements": (
        party("R", name="Brynjar Byggservice AS", number=""),
        (party("A"),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "a word missing, so that any of the group may be meant": (
        party("R", name="Bryn", number=""),
        (party("A", number=""),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "all alike but the number": (
        party("R"),
        (party("A", number=OTHER_NUMBER),),
        CONTRADICTION,
        Reason.NUMBER_DIFFERS,
    ),
    "numbers of two countries contradict nothing": (
        party("R", number="SE556036079301"),
        (party("A"),),
        CONFIRMABLE,
        Rung.NAME_AND_TWO,
    ),
    "a mistyped number is no number": (
        party("R", number="923609017"),
        (party("A"),),
        CONFIRMABLE,
        Rung.NAME_AND_TWO,
    ),
    "a sub-unit's number beside the company's": (
        party("R"),
        (party("A", number=OTHER_NUMBER, is_sub_unit=True),),
        REVIEW,
        Reason.SUB_UNIT,
    ),
    "a department's record": (
        party("R", name="Bryn Bygg AS avd Oslo", number=OTHER_NUMBER),
        (party("A"),),
        REVIEW,
        Reason.SUB_UNIT,
    ),
    "the same company twice, once without its number": (
        party("R"),
        (party("A"), party("B", number="")),
        DUPLICATE,
        Reason.TWICE_IN_ERP,
    ),
    "the same number twice": (
        party("R"),
        (party("A"), party("B", BARE, name="Brynn", number="923609016")),
        DUPLICATE,
        Reason.TWICE_IN_ERP,
    ),
    "two namesakes that nothing tells apart": (
        party("R", BARE, name="Bryn Bygg"),
        (party("A", BARE, name="Bryn Bygg AS"), party("B", BARE, name="Bryn Bygg ANS", postcode="5003")),
        RIVAL,
        Reason.CLOSE_SECOND,
    ),
    "sisters by switchboard and house": (
        party("R", name="Solkroken", number=""),
        (party("A", number=OTHER_NUMBER), party("B", name="Bryn Eiendom AS", number=THIRD_NUMBER)),
        RIVAL,
        Reason.CLOSE_SECOND,
    ),
    "nothing in common": (party("R"), (party("B", ELSEWHERE),), NONE, None),
    "no actor at all": (party("R"), (), NONE, None),
    "a record that says nothing": (Party(key="R"), (party("A"), Party(key="B")), NONE, None),
}  # fmt: skip


@pytest.mark.parametrize("case", LADDER)
def test_the_ladder_is_held_for_each_trap(case: str):
    record, actors, outcome, why = LADDER[case]
    assert verdict(one(record, *actors)) == (outcome, why)


def test_the_best_of_a_group_of_sisters_is_the_one_whose_name_it_is():
    sisters = [
        party("A", number=""),
        party("B", name="Bryn Eiendom AS", number=""),
        party("C", name="Bryn Holding AS", number=""),
    ]
    found = one(party("R", number=""), *sisters)
    assert (found.outcome, found.candidates[0].actor_key) == (CONFIRMABLE, "A")


def test_at_most_five_candidates_are_shown_the_best_first():
    actors = [
        party(f"A{n}", name=f"Bryn {name} AS", number="")
        for n, name in enumerate(("Rør", "Bil", "Mat", "Fisk", "Data", "Media", "Bygg"))
    ]
    found = one(party("R", number=""), *actors)
    assert len(found.candidates) == 5
    assert found.candidates[0].actor_key == "A6"
    assert [one.points for one in found.candidates] == sorted((one.points for one in found.candidates), reverse=True)


def test_the_evidence_shows_both_values_as_their_sides_write_them():
    found = one(party("R", name="BRYN BYGG", number="NO 923 609 016 MVA", phones=("+47 22334455",)), party("A"))
    shown = {evidence.kind: (evidence.crm, evidence.erp) for evidence in found.candidates[0].evidence}
    assert shown[EvidenceKind.NUMBER] == ("NO 923 609 016 MVA", "923609016")
    assert shown[EvidenceKind.NAME] == ("BRYN BYGG", "Bryn Bygg AS")
    assert shown[EvidenceKind.PHONE] == ("+47 22334455", "22 33 44 55")
    likeness = [evidence.likeness for evidence in found.candidates[0].evidence if evidence.kind is EvidenceKind.NAME]
    assert likeness == [NameLikeness.SAME]


def test_what_differs_is_evidence_too_and_weighs_against():
    found = one(party("R", phones=("55 11 22 33",), postcode="5003", city="Bergen"), party("A"))
    weights = kinds(found.candidates[0])
    assert weights[EvidenceKind.PHONE] < 0
    assert weights[EvidenceKind.POSTCODE] < 0
    assert weights[EvidenceKind.NUMBER] > 0


def test_the_points_are_the_sum_of_the_evidence():
    found = one(party("R", phones=("55 11 22 33",)), party("A"))
    assert found.candidates[0].points == pytest.approx(sum(kinds(found.candidates[0]).values()), abs=0.6)


def test_a_rare_value_weighs_more_than_one_that_many_have():
    crowd = [party(f"B{n}", BARE, name=f"Firma nummer {n}", phones=("22 33 44 55",)) for n in range(63)]
    alone = kinds(one(party("R"), party("A")).candidates[0])[EvidenceKind.PHONE]
    shared = kinds(one(party("R"), party("A"), *crowd).candidates[0])[EvidenceKind.PHONE]
    assert alone - shared == pytest.approx(6.0, abs=0.1)


def test_a_popular_value_joins_no_strangers():
    """Everybody has the accountant's phone: it is worth little, and no threshold cuts off what fewer share."""
    crowd = [party(f"B{n}", BARE, name=f"Firma nummer {n}", phones=("22 33 44 55",)) for n in range(900)]
    found = one(party("R", BARE, name="Ny kunde", phones=("22 33 44 55",)), *crowd)
    assert found.outcome in (NONE, REVIEW, RIVAL)


def test_a_providers_domain_is_no_identity():
    record = party("R", BARE, name="Bryn Bygg", emails=("bryn@gmail.com",))
    found = one(record, party("A", BARE, name="Bryn Bygg AS", emails=("bygg@gmail.com",)))
    assert verdict(found) == (REVIEW, Reason.TOO_LITTLE)
    assert EvidenceKind.DOMAIN not in kinds(found.candidates[0])


def test_a_whole_address_at_a_provider_is_an_identity():
    record = party("R", BARE, name="Bryn Bygg", emails=("bryn@gmail.com",))
    found = one(record, party("A", BARE, name="Bryn Bygg AS", emails=("Bryn@Gmail.com",)))
    assert verdict(found) == (CONFIRMABLE, Rung.NAME_AND_ONE)


@pytest.mark.parametrize(("others", "is_evidence"), [(SHARED_DOMAIN - 1, True), (SHARED_DOMAIN, False)])
def test_a_domain_that_too_many_actors_have_is_treated_as_a_providers(others: int, is_evidence: bool):
    crowd = [party(f"B{n}", BARE, name=f"Kunde {n}", emails=(f"k{n}@regnskap.no",)) for n in range(others)]
    record = party("R", BARE, name="Bryn Bygg", emails=("a@regnskap.no",))
    found = one(record, party("A", BARE, name="Bryn Bygg", emails=("b@regnskap.no",)), *crowd)
    assert (EvidenceKind.DOMAIN in kinds(found.candidates[0])) is is_evidence


def test_two_records_never_get_the_one_actor():
    found = suggest([party("R1"), party("R2")], [party("A")])
    assert [verdict(one) for one in found] == [(RIVAL, Reason.WANTED_BY_ANOTHER_RECORD)] * 2


def test_of_two_records_the_clearly_better_one_gets_the_actor():
    found = suggest([party("R1"), party("R2", BARE, name="Bryn Bygg", postcode="0153")], [party("A")])
    assert [verdict(one) for one in found] == [
        (CONFIRMABLE, Rung.NUMBER_AND_NAME),
        (RIVAL, Reason.WANTED_BY_ANOTHER_RECORD),
    ]


def test_an_actor_that_is_linked_already_is_shown_and_not_to_be_confirmed():
    found = one(party("R"), party("A"), known=Known(taken={"A"}))
    assert verdict(found) == (RIVAL, Reason.LINKED_ALREADY)
    assert found.candidates[0].actor_key == "A"


def test_another_e_mail_address_makes_no_other_company():
    found = one(party("R", emails=("new.owner@nyttdomene.no",)), party("A"))
    assert verdict(found) == (CONFIRMABLE, Rung.NUMBER_AND_NAME)


def test_a_street_of_the_same_name_in_another_town_is_no_evidence():
    found = one(party("R", BARE, name="Bryn Bygg", street="Kirkegata 12", postcode="5003", city="Bergen"), party("A"))
    assert verdict(found) == (REVIEW, Reason.TOO_LITTLE)


def test_a_project_is_linked_by_its_number_and_name():
    record = Party(key="R", type=PartyType.PROJECT, name="Ny skole", number="P-100")
    actor = Party(key="A", type=PartyType.PROJECT, name="Ny Skole", number="p-100")
    namesake = Party(key="B", type=PartyType.PROJECT, name="Ny skole", number="P-200")
    assert verdict(one(record, actor, namesake)) == (CONFIRMABLE, Rung.NUMBER_AND_NAME)
    assert verdict(one(record, namesake)) != (CONFIRMABLE, Rung.NUMBER_AND_NAME)


def test_only_the_same_type_is_compared():
    assert (
        one(party("R"), Party(key="A", type=PartyType.PROJECT, name="Bryn Bygg AS", number="923609016")).outcome is NONE
    )


PERSONS: dict[str, tuple[Party, tuple[Party, ...], SuggestionClass, Rung | Reason | None]] = {
    "below the linked company": (
        person("R", "Kari Moe", parent="C1"),
        (person("A", "Moe, Kari", parent="E1"), person("B", "Kari Moe", parent="E2")),
        CONFIRMABLE,
        Rung.PERSON_OF_COMPANY,
    ),
    "two of one name below the linked company": (
        person("R", "Kari Moe", parent="C1"),
        (person("A", "Kari Moe", parent="E1"), person("B", "Kari Moe", parent="E1")),
        RIVAL,
        Reason.CLOSE_SECOND,
    ),
    "below another company than the linked one": (
        person("R", "Kari Moe", parent="C1", emails=("kari@moe.no",), phones=("99 88 77 66",)),
        (person("B", "Kari Moe", parent="E2", emails=("kari@moe.no",), phones=("99 88 77 66",)),),
        CONTRADICTION,
        Reason.PARENT_DIFFERS,
    ),
    "a name alone": (person("R", "Kari Moe"), (person("A", "Kari Moe"),), REVIEW, Reason.TOO_LITTLE),
    "name, address and birth date, first and last name swapped": (
        person("R", "Kari Moe", street="Storgata 1", postcode="0153", extra={"birth_date": "1980-01-02"}),
        (person("A", "Moe Kari", street="Storgata 1", postcode="0153", extra={"birth_date": "1980-01-02"}),),
        CONFIRMABLE,
        Rung.PERSON_IN_DETAIL,
    ),
    "father and son: one name, one house": (
        person("R", "Kari Moe", street="Storgata 1", postcode="0153"),
        (person("A", "Kari Moe", street="Storgata 1", postcode="0153"),),
        REVIEW,
        Reason.TOO_LITTLE,
    ),
    "name, phone and e-mail": (
        person("R", "Kari Moe", phones=("99 88 77 66",), emails=("kari@gmail.com",)),
        (person("A", "Kari Moe", phones=("+4799887766",), emails=("Kari@gmail.com",)),),
        CONFIRMABLE,
        Rung.PERSON_IN_DETAIL,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PERSONS)
def test_persons_are_linked_below_linked_companies_or_by_their_details(case: str):
    record, actors, outcome, why = PERSONS[case]
    assert verdict(one(record, *actors, known=Known(companies={"C1": "E1"}))) == (outcome, why)


def test_a_persons_number_is_no_evidence():
    found = one(person("R", "Kari Moe", number="8112289874"), person("A", "Moe Kari", number="8112289874"))
    assert EvidenceKind.NUMBER not in kinds(found.candidates[0])


SOLE_TRADER = "811228-9874"


def test_a_swedish_sole_traders_number_is_cut_in_the_evidence_and_no_value_is_in_a_repr():
    record = party("R", BARE, name="Moe Bygg", number=SOLE_TRADER, country="SE", phones=("08-501 234 56",))
    found = one(record, party("A", BARE, name="Moe Bygg", number="SE811228987401", country="SE"))
    shown = {evidence.kind: (evidence.crm, evidence.erp) for evidence in found.candidates[0].evidence}
    assert shown[EvidenceKind.NUMBER] == ("811228-****", "811228-****")
    text = repr((record, found))
    assert not any(value in text for value in (SOLE_TRADER, "8112289874", "Moe", "501", "811228"))


def test_what_most_share_is_not_compared_with_everybody():
    crowd = [party(f"A{n:04}", BARE, name=f"Firma {chr(97 + n % 26)}{n}", phones=("22 33 44 55",)) for n in range(3000)]
    found, effort = suggest_with_effort([party("R", BARE, name="Bryn", phones=("22 33 44 55",))], crowd)
    assert effort.pairs < 400
    assert found[0].outcome is not CONFIRMABLE
