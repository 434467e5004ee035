"""Numbers, names, phones, domains and streets as people write them, in the form in which they are compared."""

import pytest

from erphub.links.matching.contacts import read_domains, read_emails, read_phones
from erphub.links.matching.models import NameLikeness
from erphub.links.matching.names import fold, leftovers, name_likeness, read_name
from erphub.links.matching.numbers import belongs_to_person, contradict, read_numbers
from erphub.links.matching.places import read_city, read_postcode, read_street


@pytest.mark.parametrize(
    ("text", "country", "numbers"),
    [
        ("923609016", "NO", ("NO923609016",)),
        ("NO 923 609 016 MVA", "", ("NO923609016",)),
        ("NO923609016", "SE", ("NO923609016",)),
        ("Org.nr. 923 609 016", "NO", ("NO923609016",)),
        ("923609017", "NO", ()),
        ("923609016", "", ("NO923609016",)),
        ("123456785", "NO", ()),
        ("556036-0793", "SE", ("SE5560360793",)),
        ("SE556036079301", "", ("SE5560360793",)),
        ("16556036-0793", "SE", ("SE5560360793",)),
        ("DK 13585628", "", ("DK13585628",)),
        ("13585628", "DK", ("DK13585628",)),
        ("2077474-0", "FI", ("FI20774740",)),
        ("FI20774740", "", ("FI20774740",)),
        ("DE136695976", "NO", ("DE136695976",)),
        ("136695976", "DE", ("DE136695976",)),
        ("01017012345", "NO", ()),
        ("kunde 10012", "NO", ()),
        ("-", "NO", ()),
        ("n/a", "", ()),
    ],
)
def test_an_organisation_number_is_checked_and_compacted(text: str, country: str, numbers: tuple[str, ...]):
    assert read_numbers(text, country) == numbers


def test_numbers_contradict_within_one_country_alone():
    assert contradict(("NO923609016",), ("NO974760673",))
    assert not contradict(("NO923609016",), ("SE5560360793",))
    assert not contradict(("NO923609016",), ())
    assert not contradict(("NO923609016", "DK13585628"), ("DK13585628",))


@pytest.mark.parametrize(
    ("number", "is_persons"), [("SE8112289874", True), ("SE5560360793", False), ("NO811228987", False)]
)
def test_a_swedish_number_with_a_month_in_it_belongs_to_a_person(number: str, is_persons: bool):
    assert belongs_to_person(number) is is_persons


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Bryn Bygg AS", "AS Bryn Bygg"),
        ("A/S Norske Bryn", "Norske Bryn AS"),
        ("Bryn Bygg A.S.", "BRYN BYGG"),
        ("Oy Bryn Ab", "Bryn Oy"),
        ("Bryn ENK", "Bryn"),
        ("Bryn Bygg AB (publ)", "Bryn Bygg"),
        ("Bryn Abp, filial i Norge", "Bryn"),
        ("Bryn Bygg AS avd Oslo", "Bryn Bygg"),
        ("Bryn & Sønn AS", "Bryn og Soenn AS"),
        ("Bødø Rør", "Bodo Ror"),
        ("Aasen Maskin", "Åsen Maskin"),
        ("Bjørk Konsult", "Björk Konsult"),
        ("J.P. Bryn", "JP Bryn"),
        ("Bryn's Bygg", "Bryns Bygg"),
        ("Moe, Kari", "Kari Moe"),
        ("Bryn Is AS", "AS Bryn Is"),
        ("Café Bryn", "Cafe Bryn"),
        ("BRYN  BYGG", "bryn bygg"),
    ],
)
def test_one_name_is_one_however_it_is_written(one: str, other: str):
    assert read_name(one).whole == read_name(other).whole


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("Bryn Bygg", "Brynbygg", NameLikeness.SAME),
        ("Bryn Bygg", "Bryn Bygh", NameLikeness.SPELLING),
        ("Hasselstad Nordli", "Hassel Stad Nordli", NameLikeness.SAME),
        ("Bryn Bygg", "Bryn", NameLikeness.WORDS_MISSING),
        ("Bryn Bygg", "Bryn Eiendom", NameLikeness.OTHER),
        ("Bryn Bygg 1", "Bryn Bygg 2", NameLikeness.OTHER),
        ("Bryn Bygg I", "Bryn Bygg II", NameLikeness.OTHER),
        ("Nordlund Bygg", "Nordland Bygg", NameLikeness.OTHER),
        ("Bryn Rør", "Bryn Bør", NameLikeness.OTHER),
        ("Bryn 2010", "Bryn 2011", NameLikeness.OTHER),
    ],
)
def test_a_name_is_like_another_but_for_a_mistake_in_a_word_that_is_none_of_its_own(
    one: str, other: str, likeness: NameLikeness
):
    assert name_likeness(*leftovers(read_name(one), read_name(other)), {"nordlund", "nordland"}) is likeness


def test_a_name_that_is_nothing_but_a_legal_form_stays():
    assert read_name("AS").words == ("as",)
    assert read_name("").words == ()


def test_a_department_is_known():
    assert read_name("Bryn Bygg AS avd. Oslo").of_department
    assert not read_name("Filial Bygg AS").of_department


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (("22 33 44 55",), ("+4722334455",)),
        (("0047 22334455",), ("+4722334455",)),
        (("(+47) 22 33 44 55",), ("+4722334455",)),
        (("tlf. 22 33 44 55",), ("+4722334455",)),
        (("+47 (0) 22 33 44 55",), ("+4722334455",)),
        (("22334455 / 40404040",), ("+4722334455", "+4740404040")),
        (("22334455, 40404040; 22334455",), ("+4722334455", "+4740404040")),
        (("12345",), ()),
        (("ring mandag",), ()),
        (("+46 8 501 234 56",), ("+46850123456",)),
    ],
)
def test_phones_are_taken_apart_and_checked(texts: tuple[str, ...], numbers: tuple[str, ...]):
    assert read_phones(texts, "NO") == numbers


def test_a_phone_is_read_by_the_country_of_its_owner():
    assert read_phones(("08-501 234 56",), "SE") == ("+46850123456",)


@pytest.mark.parametrize(
    ("emails", "websites", "domains"),
    [
        (("Post@Bryn.NO",), (), ("bryn.no",)),
        (("a@mail.bryn.no; b@bryn.no",), (), ("bryn.no",)),
        (("bryn@gmail.com", "bryn@online.no"), (), ()),
        ((), ("https://www.bryn.no/om",), ("bryn.no",)),
        ((), ("www.bryn.co.uk",), ("bryn.co.uk",)),
        (("x@pp.inet.fi",), (), ()),
        (("no address",), ("none",), ()),
    ],
)
def test_a_domain_is_the_registered_one_and_no_providers(
    emails: tuple[str, ...], websites: tuple[str, ...], domains: tuple[str, ...]
):
    assert read_domains(read_emails(emails), websites) == domains


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Kirkegata 12 B", "Kirkegaten 12b"),
        ("Storgt. 1", "Storgata 1"),
        ("Skoleveien 3", "Skolevegen 3"),
        ("Skolev. 3", "Skoleveien 3"),
        ("Storgata 1, 2. etg", "Storgata 1"),
        ("c/o Regnskap AS, Storgata 1", "Storgata 1"),
        ("Postboks 12", "Pb. 12"),
    ],
)
def test_a_street_is_one_however_it_is_written(one: str, other: str):
    assert read_street(one) == read_street(other) != ""


def test_a_street_without_a_number_is_no_place():
    assert read_street("Industriområdet") == ""
    assert read_street("Storgata 1") != read_street("Storgata 11")


def test_postcodes_and_places_are_compared_without_their_trimmings():
    assert read_postcode("NO-0150") == read_postcode("0150") == "0150"
    assert read_postcode("123 45") == "12345"
    assert read_city("OSLO 1") == read_city("Oslo")
    assert fold("Tromsø") == fold("Tromso") == fold("Tromsoe")
