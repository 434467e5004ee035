"""Nobody's name looks like another's by characters that nobody sees: a person's are refused, a source's spelled out.

The table goes over the first and last character of each run that the Unicode Character Database calls hidden.
"""

import json
import sys
import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from erphub.connections.capability import CONNECTION_HEALED
from erphub.erp.documents import Address, Customer, DocumentKind, Product
from erphub.erp.posting import Change, Choice, LedgerAccount, TaxCode
from erphub.erp.steps import name_step
from erphub.erp.system import FoundChoice, FoundCompany
from erphub.events.publisher import make_event
from erphub.platform.characters import called, escaped, hidden_in, is_blank, named, shown, without_hidden
from erphub.platform.errors import ErpRefused, Invalid
from erphub.platform.text import clean_name
from erphub.platform.wire import LINE, LINES, NOT_BLANK, Name
from erphub.sync.canonical import from_text, read_document, read_received
from erphub.sync.transfers.attempts import erp_message_of, readable_message

HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
IGNORABLE = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u180f\u200b\u200e\u2060\u2062"
IGNORABLE += "\u206f\u2800\u3164\U0001d159"
IGNORABLE += "\ufe00\ufeff\uffa0\U000e0001\U000e0041\U000e0100\U000e01ef\U000e0fff"
"""Of Default_Ignorable_Code_Point every range once, and what is drawn as nothing."""


def _edges() -> list[str]:
    found: list[str] = []
    before = False
    for number in range(sys.maxunicode + 1):
        hidden = unicodedata.category(chr(number)) in HIDDEN
        if hidden != before:
            found.append(chr(number) if hidden else chr(number - 1))
        before = hidden
    return [*dict.fromkeys([*found, *IGNORABLE, "\u202e", "\u2066", "\u200c", "\u200d"])]


CHARACTERS = _edges()
WITNESSES = (
    "\u00e6\u00f8\u00c5\u00e9\u4e1c\u6771\u05d0\u0627\u0928\u0e01\ud55c\U0001f600-.,'&/()\u20ac\u00a0\u3000\u2019"
)
NEEDED = {
    "Persian plural": "\u062e\u0627\u0646\u0647\u200c\u0647\u0627",
    "Hindi, letters kept apart": "\u0915\u094d\u200d\u0937",
    "Hindi, vowel sign kept apart": "\u0915\u094d\u200c\u0937",
    "Sinhala": "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
    "Bengali, ra before ya": "\u09b0\u200d\u09cd\u09af\u09be\u09ac",
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "red heart": "\u2764\ufe0f",
    "keycap": "1\ufe0f\u20e3",
    "tone of skin": "\U0001f469\U0001f3fd\u200d\U0001f33e",
    "Scotland": "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
}


def between(char: str) -> str:
    return f"Nord{char}lys"


def test_every_hidden_character_is_found_and_nothing_that_is_seen() -> None:
    assert len(CHARACTERS) > 1000
    assert [ascii(char) for char in CHARACTERS if [*hidden_in(between(char))] != [4]] == []
    assert [*hidden_in(WITNESSES)] == []


@pytest.mark.parametrize("text", NEEDED.values(), ids=list(NEEDED))
def test_what_writing_needs_stays(text: str) -> None:
    assert [*hidden_in(text)] == []
    assert clean_name(text, "/name") == unicodedata.normalize("NFC", text)
    assert FoundCompany("K", text).name == text


@pytest.mark.parametrize(
    "text",
    [
        "Nord\u200dlys",
        "Nord\u200clys",
        "\u200dNordlys",
        "Nordlys\u200d",
        "\U0001f600\u200dA",
        "A\ufe0f",
        "1\ufe0f",
        "\U0001f3f4\U000e0041\U000e007f",
        "\u0627\u200d",
    ],
    ids=ascii,
)
def test_joiners_where_nothing_is_joined_are_hidden(text: str) -> None:
    assert [*hidden_in(text)]


# --- what a person or a till gives -----------------------------------------------------------------------------------


def _by_type(shape: Any) -> Callable[[str], Any]:
    adapter = TypeAdapter[str](shape)
    return adapter.validate_python


def _document(kind: DocumentKind, fields: dict[str, Any], *path: str) -> Callable[[str], Any]:
    def given(text: str) -> Any:
        body = json.loads(json.dumps(fields))
        place = body
        for part in path[:-1]:
            place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
        place[path[-1]] = text
        return read_received(kind, body)

    return given


def _wizard_name(text: str) -> Any:
    (check,) = name_step().checks
    if errors := list(check({"name": text})):
        raise Invalid("", errors=errors)


INVOICE = {
    "date": "2026-01-05",
    "customer_id": "C1",
    "lines": [{"description": "x", "quantity": "1", "unit_price": "1", "vat_rate": "25"}],
}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTLEMENT = {"date": "2026-01-05", "number": 1}
PRODUCT = {"number": "P1", "name": "x", "price": "1"}
GIVEN: dict[str, Callable[[str], Any]] = {
    "names of connections, clients, customers, jobs": _by_type(Name),
    "the wizard's name": _wizard_name,
    "one line": _by_type(Annotated[str, LINE]),
    "several lines": _by_type(Annotated[str, LINES]),
    "customer": _document(DocumentKind.CUSTOMER, {"name": "x"}, "name"),
    "customer's street": _document(DocumentKind.CUSTOMER, {"name": "x"}, "address", "street"),
    "customer's city": _document(DocumentKind.CUSTOMER, {"name": "x"}, "address", "city"),
    "customer's phone": _document(DocumentKind.CUSTOMER, {"name": "x"}, "phone"),
    "product": _document(DocumentKind.PRODUCT, PRODUCT, "name"),
    "product's number": _document(DocumentKind.PRODUCT, PRODUCT, "number"),
    "invoice's reference": _document(DocumentKind.INVOICE, INVOICE, "your_reference"),
    "invoice's comment": _document(DocumentKind.INVOICE, INVOICE, "comment"),
    "invoice line": _document(DocumentKind.INVOICE, INVOICE, "lines", "0", "description"),
    "settlement's department": _document(DocumentKind.SETTLEMENT, SETTLEMENT, "department"),
    "settlement's till": _document(DocumentKind.SETTLEMENT, SETTLEMENT, "till"),
}
OF_LINES = {"several lines", "invoice's comment", "invoice line"}


@pytest.mark.parametrize("place", GIVEN)
def test_what_is_given_with_a_hidden_character_is_refused_wherever_it_is_given(place: str) -> None:
    give = GIVEN[place]
    give(between("ø"))
    allowed = "\n\r\t" if place in OF_LINES else ""
    taken: list[str] = []
    for char in CHARACTERS:
        try:
            give(between(char))
        except (Invalid, ValidationError):
            continue
        taken.append(char)
    assert sorted(taken) == sorted(char for char in CHARACTERS if char in allowed)
    for char in allowed:
        give(between(char))


def test_the_field_a_code_and_the_character_are_told() -> None:
    with pytest.raises(Invalid) as refused:
        GIVEN["customer's street"](between("\u2062"))
    assert [(wrong.pointer, wrong.code) for wrong in refused.value.errors] == [("/address/street", "hidden_character")]
    assert "U+2062 INVISIBLE TIMES" in refused.value.errors[0].detail
    with pytest.raises(ValidationError) as name:
        _by_type(Name)(between("\u00ad"))
    assert name.value.errors()[0]["type"] == "hidden_character"
    assert "U+00AD SOFT HYPHEN" in name.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    ("char", "name"),
    [
        ("\x00", "U+0000 NULL"),
        ("\x01", "U+0001 CONTROL"),
        ("\ue000", "U+E000 PRIVATE USE"),
        ("\u0378", "U+0378 NOT ASSIGNED"),
    ],
)
def test_characters_without_a_name_are_called_by_their_kind(char: str, name: str) -> None:
    assert called(char) == name


BLANKS = ["", " ", "\u00a0", "\u3000", "\u2003 ", "\u0301", "\u0303 \u0301"]


@pytest.mark.parametrize("text", BLANKS, ids=ascii)
def test_a_name_in_which_nothing_can_be_read_is_refused(text: str) -> None:
    assert is_blank(text)
    with pytest.raises(Invalid) as refused:
        clean_name(text, "/name")
    assert refused.value.errors[0].code == "name_empty"
    with pytest.raises(ValidationError):
        _by_type(Annotated[str, LINE, NOT_BLANK])(text)
    with pytest.raises(Invalid):
        GIVEN["customer"](text)


@pytest.mark.parametrize("text", ["A", "7", "-", "\u2764\ufe0f", "\u6771", "e\u0301"], ids=ascii)
def test_a_name_of_one_letter_sign_or_picture_is_a_name(text: str) -> None:
    assert clean_name(f" {text} ", "/name") == unicodedata.normalize("NFC", text)


def test_a_name_is_composed_and_trimmed_before_it_is_measured() -> None:
    assert clean_name(" " + "e\u0301" * 100 + " ", "/name") == "\u00e9" * 100
    with pytest.raises(Invalid) as refused:
        clean_name("e\u0301" * 101, "/name")
    assert refused.value.errors[0].code == "name_too_long"


def test_a_document_keeps_its_texts_as_they_were_handed_in() -> None:
    assert GIVEN["customer"](" e\u0301 ").name == " e\u0301 "


def test_a_document_that_was_kept_before_goes_on_without_what_is_hidden() -> None:
    kept = '{"kind":"customer","name":"Nord\u202elys","phone":"\u00ad"}'
    assert from_text(kept) == Customer(name="Nordlys", phone="[U+00AD]")
    assert from_text(json.dumps(INVOICE | {"kind": "invoice", "comment": "a\nb"})).comment == "a\nb"


def test_a_long_text_of_joiners_is_read_in_one_go() -> None:
    texts = [
        "\u062e\u200c" * 200_000 + "\u062e",
        "\U0001f468\u200d" * 200_000 + "\U0001f468",
        "\u062e" + "\u064e" * 300_000 + "\u200c\u062e",
    ]
    began = time.perf_counter()
    assert [len([*hidden_in(text)]) for text in texts] == [0, 0, 1]
    assert time.perf_counter() - began < 5


# --- what a source gives ---------------------------------------------------------------------------------------------


def _change(kind: DocumentKind, document: Any) -> Any:
    return Change(kind, "1", None, NOW, "1", document).document


SHOWN: dict[str, Callable[[str], str]] = {
    "company": lambda text: FoundCompany("F0001", text).name,
    "choice of a company": lambda text: FoundChoice("F0001", "x", "1", text).name,
    "a choice's company": lambda text: FoundChoice("F0001", text, "1", "x").company_name,
    "setup's choice": lambda text: Choice("1", text).title,
    "account": lambda text: LedgerAccount("1500", text, has_sales_type=False).name,
    "tax code": lambda text: TaxCode("3", text, Decimal(25)).title,
    "an ERP's sentence": lambda text: ErpRefused(text).detail,
    "an ERP's own words in the export log": readable_message,
    "an ERP's own words in a refusal": lambda text: erp_message_of(ErpRefused("Refused.", erp_message=text)),
    "an event's sentence": lambda text: make_event(CONNECTION_HEALED, "c", None, NOW, "x", text).detail,
}
HANDED_BACK: dict[str, Callable[[str], str]] = {
    "customer of the ERP": lambda text: _change(DocumentKind.CUSTOMER, Customer(name=text)).name,
    "customer's city": lambda text: (
        _change(DocumentKind.CUSTOMER, Customer(name="x", address=Address(city=text))).address.city
    ),
    "product of the ERP": lambda text: (
        _change(DocumentKind.PRODUCT, Product(number="1", name=text, price=Decimal(1))).name
    ),
    "merged with the till's": lambda text: read_document(DocumentKind.CUSTOMER, {"name": text}).name,
}
WRITABLE = [char for char in CHARACTERS if unicodedata.category(char) != "Cs"]
BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


@pytest.mark.parametrize("place", SHOWN)
def test_a_sources_text_is_shown_to_people_with_what_is_hidden_spelled_out(place: str) -> None:
    show = SHOWN[place]
    assert show("Fjord & Sønner") == "Fjord & Sønner"
    assert {
        ascii(char): show(between(char))
        for char in WRITABLE
        if show(between(char)) != ("Nord lys" if char in BREAKS else f"Nord[U+{ord(char):04X}]lys")
    } == {}


@pytest.mark.parametrize("place", HANDED_BACK)
def test_a_record_of_the_erp_goes_to_tills_without_what_is_hidden_for_they_hand_it_back(place: str) -> None:
    give = HANDED_BACK[place]
    assert give("Fjord & Sønner") == "Fjord & Sønner"
    assert {give(between(char)) for char in WRITABLE} == {"Nordlys", "Nord lys"}
    assert give("\u200b") == "[U+200B]", "a name stays a name"


def test_a_source_that_changes_nothing_that_is_seen_is_told_as_it_is() -> None:
    given = Customer(name="Fjord", email="a@b.no")
    assert _change(DocumentKind.CUSTOMER, given) == given


def test_a_key_stays_as_it_is_and_a_name_without_anything_to_see_is_told_by_the_key() -> None:
    company = FoundCompany("Oslo\u200bNord", " \u3000")
    assert (company.key, company.name) == ("Oslo\u200bNord", "Oslo[U+200B]Nord")
    assert FoundCompany("\u3000", "").name == "U+3000"
    assert named("", " ", "K") == "K"


def test_a_character_beyond_the_first_plane_is_escaped_as_json_does() -> None:
    assert json.loads(f'"{escaped(chr(0xE0001))}"') == chr(0xE0001)
    assert escaped("æ\u202e") == "æ\\u202e"
    assert (without_hidden(" plain "), shown(" plain ")) == (" plain ", " plain ")
