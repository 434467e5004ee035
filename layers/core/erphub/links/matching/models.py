"""What is matched, and what comes of it. Values are personal data: no `repr` shows one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class PartyType(StrEnum):
    """What a record or an actor stands for. Only the same is compared."""

    COMPANY = "company"
    PERSON = "person"
    PROJECT = "project"


class EvidenceKind(StrEnum):
    """Of what a piece of evidence is."""

    NUMBER = "number"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    DOMAIN = "domain"
    STREET = "street"
    POSTCODE = "postcode"
    CITY = "city"
    PARENT = "parent"
    """Of a person: the company is linked to the one it stands below in the ERP."""
    EXTRA = "extra"


class NameLikeness(StrEnum):
    """How two names are alike."""

    SAME = "same"
    """But for case, order, legal form, accents and words like *and*."""
    SPELLING = "spelling"
    """But for a mistyped letter in a word that is not one of its own."""
    WORDS_MISSING = "words_missing"
    """One has words that the other has not: it may as well be a sister company."""
    OTHER = "other"

    @property
    def is_like(self) -> bool:
        """Whether they may be one name written twice."""
        return self in (NameLikeness.SAME, NameLikeness.SPELLING)


class SuggestionClass(StrEnum):
    """What a person has to do about a suggestion."""

    CONFIRMABLE = "confirmable"
    """Fit to be confirmed in bulk."""
    REVIEW = "review"
    """Somebody must look at it."""
    RIVAL = "rival"
    """Several fit about as well, or several records want the one."""
    CONTRADICTION = "contradiction"
    """Alike, and yet it cannot be: another organisation number, or the company is linked to another one."""
    DUPLICATE_IN_ERP = "duplicate_in_erp"
    """The best ones seem to be one company, entered twice."""
    NONE = "none"


class Rung(StrEnum):
    """What makes a suggestion fit to be confirmed, from the strongest."""

    NUMBER_AND_NAME = "number_and_name"
    NUMBER_AND_MORE = "number_and_more"
    """The name is another, which nobody else bears, and phone, domain or street agree."""
    NAME_AND_TWO = "name_and_two"
    """Two of phone, domain (or e-mail) and street."""
    NAME_AND_ONE = "name_and_one"
    NAME_AND_POSTCODE = "name_and_postcode"
    PERSON_OF_COMPANY = "person_of_company"
    """The only person of that name below the linked company."""
    PERSON_IN_DETAIL = "person_in_detail"
    """Three kinds of details of a person, together rarer than any chance."""


class Reason(StrEnum):
    """Why a suggestion is not fit to be confirmed in bulk."""

    NUMBER_DIFFERS = "number_differs"
    PARENT_DIFFERS = "parent_differs"
    SUB_UNIT = "sub_unit"
    """A sub-unit has a number of its own: it may be meant, or the company it belongs to."""
    NAME_BORNE_BY_ANOTHER = "name_borne_by_another"
    """The number agrees, but another actor bears the name."""
    NUMBER_OF_ANOTHER = "number_of_another"
    """All but the number speaks for it, and the number is another actor's."""
    SISTER_NAME = "sister_name"
    """The number agrees, but the name is a sister company's: one word in common, and each has one of its own."""
    CLOSE_SECOND = "close_second"
    WANTED_BY_ANOTHER_RECORD = "wanted_by_another_record"
    TWICE_IN_ERP = "twice_in_erp"
    LINKED_ALREADY = "linked_already"
    TOO_LITTLE = "too_little"
    """What agrees would not tell it from a sister company or a namesake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A record of a CRM or an actor of an ERP, as its side writes it. What is empty says nothing."""

    key: str
    type: PartyType = PartyType.COMPANY
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    """Organisation or VAT number of a company; of a project its own number."""
    phones: tuple[str, ...] = field(default=(), repr=False)
    """Each may hold several, with `/`, `,` or `;` between them."""
    emails: tuple[str, ...] = field(default=(), repr=False)
    websites: tuple[str, ...] = field(default=(), repr=False)
    street: str = field(default="", repr=False)
    postcode: str = field(default="", repr=False)
    city: str = field(default="", repr=False)
    country: str = field(default="", repr=False)
    """Two letters of ISO 3166; for numbers and phones written without one."""
    parent: str = ""
    """The key of the company it stands below, on its own side."""
    is_sub_unit: bool = False
    """An establishment with a number of its own (Norwegian *underenhet*)."""
    extra: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Further details by a name that both sides use, such as `birth_date`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two say of one thing."""

    kind: EvidenceKind
    crm: str = field(repr=False)
    """As the CRM shows it; a number that belongs to a person is cut."""
    erp: str = field(repr=False)
    weight: float
    """Bits: how much rarer the agreement is than chance; negative where they differ."""
    likeness: NameLikeness | None = None
    name: str = ""
    """Of an extra: which."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An actor that the record may be."""

    actor_key: str
    points: float
    """The sum of its evidence, in bits. Only for the order: what is fit to be confirmed is a matter of its kinds."""
    evidence: tuple[Evidence, ...]
    rung: Rung | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What is suggested for a record: up to five candidates, the best first."""

    record_key: str
    outcome: SuggestionClass
    candidates: tuple[Candidate, ...] = ()
    reason: Reason | None = None
