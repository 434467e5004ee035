"""The fields of CRM records that the hub knows by name, with their types.

Any CRM may hand in others; a pair of fields of the same name is proposed. The names are those by which SuperOffice maps
fields by itself (SuperOffice documentation, "ERP Sync: automatic mapping").
"""

from collections.abc import Mapping, Sequence

from erphub.erp.actors import ActorFieldType
from erphub.links.mappings.models import CrmField
from erphub.links.records.models import CrmEntity


def _place(prefix: str, name: str, *more: str) -> tuple[CrmField, ...]:
    parts = {"AD1": "first line", "AD2": "second line", "AD3": "third line", "ZIP": "postal code", "CITY": "city"}
    parts |= {"COUNTY": "county", "STATE": "state"} | {part: part.lower() for part in more}
    return tuple(CrmField(prefix + part, f"{name}, {called}") for part, called in parts.items())


FIELDS: Mapping[CrmEntity, Sequence[CrmField]] = {
    CrmEntity.COMPANY: (
        CrmField("NAME", "Name"),
        CrmField("DEPARTMENT", "Department"),
        CrmField("VATNO", "Organisation number"),
        CrmField("NUMBER1", "Code"),
        CrmField("NUMBER2", "Number"),
        CrmField("EMAIL", "E-mail", ActorFieldType.EMAIL),
        CrmField("PHONE", "Phone", ActorFieldType.PHONE),
        CrmField("FAX", "Fax", ActorFieldType.PHONE),
        CrmField("URL", "Web address"),
        *_place("STREET", "Street address"),
        *_place("POSTAL", "Postal address"),
        CrmField("COUNTRY", "Country"),
    ),
    CrmEntity.CONTACT: (
        CrmField("FIRSTNAME", "First name"),
        CrmField("MIDDLENAME", "Middle name"),
        CrmField("LASTNAME", "Last name"),
        CrmField("TITLE", "Title"),
        CrmField("POSITION", "Position"),
        CrmField("NUMBER", "Number"),
        CrmField("EMAIL", "E-mail", ActorFieldType.EMAIL),
        CrmField("PHONE_DIRECT", "Direct phone", ActorFieldType.PHONE),
        CrmField("PHONE_MOBILE", "Mobile phone", ActorFieldType.PHONE),
        CrmField("PHONE_PRIVATE", "Private phone", ActorFieldType.PHONE),
        CrmField("PHONE_OTHER", "Other phone", ActorFieldType.PHONE),
        CrmField("BIRTHDATE", "Date of birth", ActorFieldType.DATE),
        CrmField("URL", "Web address"),
        *_place("POSTAL", "Postal address", "COUNTRY"),
    ),
    CrmEntity.PROJECT: (
        CrmField("NAME", "Name"),
        CrmField("NUMBER", "Number"),
        CrmField("TEXT", "Description"),
        CrmField("URL", "Web address"),
        CrmField("ENDDATE", "End date", ActorFieldType.DATE),
    ),
}
