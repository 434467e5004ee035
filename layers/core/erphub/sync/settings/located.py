"""By which settings a document goes: those of its own location or department, and none other's.

A document names its shop and its register in the till's own words. A location of the settings says which words mean
it; without one, words that are the number or the name of one of the ERP's own departments mean that, as long as
everything goes to one company. Whatever else is said is nobody's: it waits with the reason, and is never posted to
another's books.
"""

from collections.abc import Iterable, Iterator, Sequence

from erphub.erp.documents import DocumentKind
from erphub.platform.errors import Unavailable
from erphub.sync import problems
from erphub.sync.locations.models import Department, Location, locations_of, normalized
from erphub.sync.settings.models import Sync, SyncSettings

RECORDS = (DocumentKind.CUSTOMER, DocumentKind.PRODUCT)
"""What belongs to a company, whichever shop names it."""
_MAX_NAMED = 20
"""How many choices a sentence names."""


def settings_of(sync: Sync, kind: DocumentKind, department: str, till: str) -> SyncSettings:
    """The settings for documents of a shop and register, in the till's words.

    Raises Unavailable (`location_unknown`, `location_ambiguous`) when they do not say whose books it belongs to: they
    wait until they do, for another shop's books are wrong for them.
    """
    settings = sync.settings
    if kind in RECORDS and not department and len(settings.companies()) == 1:
        return settings
    found = _locations(settings, kind, department, till)
    if len(found) > 1:
        raise _ambiguous(department, till, "locations of the settings", (one.name for one in found))
    if found:
        return settings.model_copy(update=found[0].overrides() | {"locations": ()})
    if not settings.locations and normalized(department) in ("", normalized(settings.department)):
        return settings
    named = _departments(sync, department)
    if len(named) > 1:
        raise _ambiguous(department, till, "departments of the ERP", (f"{one.key} {one.name}" for one in named))
    if not named:
        raise _unknown(sync, department, till)
    if named[0].key == settings.department and not settings.locations:
        return settings
    return settings.model_copy(update={"department": named[0].key, "locations": ()})


def shops_of(sync: Sync, department: str, till: str) -> list[str]:
    """A till's shop in every spelling that means it, the one under which its documents are kept first.

    A shop whose words are mapped otherwise than before is still known by those it had.
    """
    return list(dict.fromkeys(_spellings(sync, department, till)))


def company_word(sync: Sync, company: str) -> str:
    """What a till calls a shop of a company, for records that come from there; empty where it need not be said."""
    if len(sync.settings.companies()) == 1:
        return ""
    own = (one for one in sync.settings.locations if (one.company or sync.settings.company) == company)
    return next((one.departments[0] for one in own if one.departments), "")


def _spellings(sync: Sync, department: str, till: str) -> Iterator[str]:
    word, settings = normalized(department), sync.settings
    found = locations_of(settings.locations, department, till)
    if len(found) == 1:
        yield found[0].shop or word
        yield from map(normalized, found[0].departments)
        yield word
        if _has_own_books(settings, found[0]):
            yield ""  # as its documents were kept before there were locations
        return
    named = _departments(sync, department)
    yield normalized(named[0].key) if len(named) == 1 else word
    yield word
    if settings.locations or len(named) > 1:
        return
    if len(named) == 1:
        yield normalized(named[0].name)
    if word in ("", normalized(settings.department)) or settings.department in (one.key for one in named):
        yield ""
        yield normalized(settings.department)


def _has_own_books(settings: SyncSettings, location: Location) -> bool:
    """Whether it alone has the company and department of the settings themselves."""
    own = [
        one
        for one in settings.locations
        if (one.company or settings.company, one.department) == (settings.company, settings.department)
    ]
    return own == [location]


def _locations(settings: SyncSettings, kind: DocumentKind, department: str, till: str) -> Sequence[Location]:
    """The locations that are meant. Of a record only the company matters, so of those of one company one will do."""
    if kind not in RECORDS:
        return locations_of(settings.locations, department, till)
    meant = [one for one in settings.locations if normalized(department) in map(normalized, one.departments)]
    of_companies = {one.company or settings.company: one for one in meant}
    return list(of_companies.values())


def _departments(sync: Sync, department: str) -> Sequence[Department]:
    """The ERP's own departments that are called so; none where shops belong to several companies, which each have
    their own."""
    if not normalized(department) or len(sync.settings.companies()) > 1:
        return ()
    return [one for one in sync.departments if one.is_called(department)]


def _ambiguous(department: str, till: str, of: str, names: Iterable[str]) -> Unavailable:
    return problems.LOCATION_AMBIGUOUS(
        said=_said(department, till), of=of, value="; ".join(name.strip() for name in names)
    )


def _unknown(sync: Sync, department: str, till: str) -> Unavailable:
    choices = [
        *_listed("so far", [one.name for one in sync.settings.locations]),
        *_listed("the ERP's departments", [f"{one.key} {one.name}".strip() for one in _offered(sync)]),
    ]
    shown = f" ({'. '.join(choices)})" if choices else ""
    return problems.LOCATION_UNKNOWN(said=_said(department, till), shown=shown)


def _offered(sync: Sync) -> Sequence[Department]:
    return sync.departments if len(sync.settings.companies()) == 1 else ()


def _listed(title: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"{title}: {'; '.join(names[:_MAX_NAMED])}{' …' if len(names) > _MAX_NAMED else ''}"


def _said(department: str, till: str) -> str:
    words = [f"The shop {department!r}" if department else "", f"the register {till!r}" if till else ""]
    said = " with ".join(word for word in words if word)
    return said[:1].upper() + said[1:] if said else "A document that names neither shop nor register"
