"""A party in the form in which it is compared, and the keys under which those are found that it is compared with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from erphub.links.matching.contacts import read_domains, read_emails, read_phones
from erphub.links.matching.models import Party, PartyType
from erphub.links.matching.names import NO_NAME, Name, fold, read_name
from erphub.links.matching.numbers import read_numbers
from erphub.links.matching.places import read_city, read_postcode, read_street

FIRST_LETTERS = 4
"""Of a word of a name, beside the first digits of the postcode."""
POSTCODE_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Features:
    """A party in the form in which it is compared; an empty one says nothing."""

    party: Party
    name: Name = NO_NAME
    numbers: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    street: str = ""
    postcode: str = ""
    city: str = ""
    extra: tuple[tuple[str, str], ...] = ()

    @property
    def is_sub_unit(self) -> bool:
        """Whether it is an establishment, or names a department: its number may be another than the company's."""
        return self.party.is_sub_unit or self.name.of_department

    @property
    def address(self) -> str:
        """Street and postcode: the same street name is in every town."""
        return f"{self.street}|{self.postcode}" if self.street else ""


def read_party(party: Party, phones: Collection[str] | None = None) -> Features:
    """The compared form of a party. `phones`: the last digits of those asked for, where known."""
    emails = read_emails(party.emails) if party.emails else ()
    return Features(
        party,
        read_name(party.name) if party.name else NO_NAME,
        _numbers(party),
        read_phones(party.phones, party.country, phones) if party.phones else (),
        emails,
        read_domains(emails, party.websites),
        read_street(party.street) if party.street else "",
        read_postcode(party.postcode),
        read_city(party.city) if party.city else "",
        tuple((name, folded) for name, text in sorted(party.extra.items()) if (folded := fold(text).strip())),
    )


def _numbers(party: Party) -> tuple[str, ...]:
    match party.type:
        case PartyType.COMPANY:
            return read_numbers(party.number, party.country) if party.number else ()
        case PartyType.PROJECT:
            number = fold(party.number).strip()
            return (f"P:{number}",) if number else ()
        case PartyType.PERSON:
            # A person's number in an ERP is the ERP's own, or one that nobody should compare.
            return ()


def values(of: Features) -> Iterator[str]:
    """What it says, each with a letter in front for its kind: what is counted, and by which others are found."""
    for number in of.numbers:
        yield "n" + number
    for phone in of.phones:
        yield "p" + phone
    for email in of.emails:
        yield "e" + email
    for domain in of.domains:
        yield "d" + domain
    if of.street:
        yield "s" + of.address
    if of.name.words:
        yield "w" + of.name.whole
    for name, value in of.extra:
        yield f"x{name}:{value}"
    if of.party.parent:
        yield "q" + of.party.parent


def places(of: Features) -> Iterator[str]:
    """Where it is: counted, but too many are there to be found by it alone."""
    if of.postcode:
        yield "z" + of.postcode
    if of.city:
        yield "c" + of.city


def combinations(of: Features) -> Iterator[str]:
    """Further keys by which others are found that have the name in another spelling."""
    words = of.name.words
    if len(words) > 1:
        yield "j" + "".join(words)
    elif words:
        yield "j" + words[0]
    if of.party.type is PartyType.PERSON:
        yield from _of_person(of)


def near(of: Features, word: str) -> str:
    """The key of a word of the name, as it begins, and of the region."""
    return f"t{word[:FIRST_LETTERS]}{of.postcode[:POSTCODE_DIGITS]}"


def _of_person(of: Features) -> Iterator[str]:
    """Letters of a name are mistyped too: beside its first ones, its last ones, and the details of the place."""
    for word in of.name.words:
        if of.street:
            yield f"a{word[:2]}{of.street}"
        if of.city:
            yield f"b{word[:FIRST_LETTERS]}{of.city}"
            yield f"f{word[-FIRST_LETTERS:]}{of.city}"
    if of.postcode and of.street:
        yield f"g{of.postcode}{of.street.rpartition(' ')[2]}"
