"""Customers and suppliers of 24SevenOffice as actors: their fields, and what each way of signing in can do with them.

Both lie in one register; a supplier is told by a mark of its record.
"""

from collections.abc import Mapping, Sequence

from erphub.erp import problems
from erphub.erp.actors import ActorField, ActorFieldType, ActorSupport, ActorType, FieldAccess
from erphub.platform.lexical import is_digits

_REGISTER = "company"
_IN_ONE_REGISTER = ActorSupport(_REGISTER, can_create=True, can_save=True)
_NO_PARTNERS = "24SevenOffice has no kind of its own for who is customer and supplier at once: link the supplier."

OF_ORGANISATION: Mapping[ActorType, ActorSupport | str] = {
    ActorType.CUSTOMER: _IN_ONE_REGISTER,
    ActorType.SUPPLIER: _IN_ONE_REGISTER,
    ActorType.PARTNER: _NO_PARTNERS,
    ActorType.PERSON: "With an organisation id 24SevenOffice shows no contact persons.",
    ActorType.PROJECT: "With an organisation id 24SevenOffice shows of projects their numbers and names alone.",
}
OF_USER: Mapping[ActorType, ActorSupport | str] = {
    ActorType.CUSTOMER: _IN_ONE_REGISTER,
    ActorType.SUPPLIER: _IN_ONE_REGISTER,
    ActorType.PARTNER: _NO_PARTNERS,
    ActorType.PERSON: "The hub does not read 24SevenOffice's contact persons.",
    ActorType.PROJECT: "The hub does not read 24SevenOffice's projects.",
}

NUMBER, IS_COMPANY, FIRST_NAME, NAME, LAST_NAME = "NUMBER2", "IS_COMPANY", "FIRSTNAME", "NAME", "LASTNAME"
_MOBILE_LENGTH = 25
_COUNTRY_LENGTH = 2


def _place(prefix: str, called: str) -> tuple[ActorField, ...]:
    return (
        ActorField(f"{prefix}AD1", f"{called}, street"),
        ActorField(f"{prefix}ZIP", f"{called}, postal code"),
        ActorField(f"{prefix}CITY", f"{called}, city"),
    )


_COMMON = (
    ActorField(NAME, "Name", access=FieldAccess.MANDATORY),
    ActorField("VATNO", "Organisation number"),
    ActorField(NUMBER, "Number", ActorFieldType.INTEGER, FieldAccess.READ_ONLY),
    ActorField("EMAIL", "E-mail", ActorFieldType.EMAIL),
    ActorField("PHONE", "Phone", ActorFieldType.PHONE),
    ActorField("PHONE_MOBILE", "Mobile phone", ActorFieldType.PHONE, max_length=_MOBILE_LENGTH),
    *_place("STREET", "Visiting address"),
    ActorField("COUNTRY", "Country (two letters)", max_length=_COUNTRY_LENGTH),
    *_place("POSTAL", "Postal address"),
    ActorField("EMAIL_INVOICE", "E-mail for invoices", ActorFieldType.EMAIL),
)
_PERSONS = (
    ActorField(FIRST_NAME, "First name of a person", access=FieldAccess.READ_ONLY),
    ActorField(LAST_NAME, "Last name of a person", access=FieldAccess.READ_ONLY),
    ActorField(IS_COMPANY, "Is a company", ActorFieldType.BOOLEAN, FieldAccess.READ_ONLY),
)
FIELDS_OF_ORGANISATION: Sequence[ActorField] = (*_COMMON, *_PERSONS)
FIELDS_OF_USER: Sequence[ActorField] = (
    *_COMMON,
    ActorField("FAX", "Fax", ActorFieldType.PHONE),
    ActorField("URL", "Web address"),
    *_PERSONS,
)


def support_of(supported: Mapping[ActorType, ActorSupport | str], actor_type: ActorType) -> ActorSupport:
    """What can be done with a type. Raises ErpRefused (`actor_type_not_supported`)."""
    support = supported[actor_type]
    if isinstance(support, str):
        raise problems.ACTOR_TYPE_NOT_SUPPORTED(reason=support)
    return support


def is_key(text: str) -> bool:
    """Whether the ERP can know an actor by it: its numbers are whole ones of 32 bits."""
    return is_digits(text) and 0 < int(text) < 2**31


def is_of(actor_type: ActorType, *, is_supplier: bool) -> bool:
    """Whether a record of the register is one of the type: who is a supplier may be a customer as well."""
    return actor_type is ActorType.CUSTOMER or is_supplier


def names_of(name: str) -> tuple[str, str]:
    """A person's name in two: all but its last word, and that."""
    first, _, last = name.rpartition(" ")
    return first, last
