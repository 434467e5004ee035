"""Visma Business's actors: customers and suppliers in one table, told apart by which number they carry.

The hub reads them. An actor is known by its own number, which it keeps whatever else it becomes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from erphub.erp import problems
from erphub.erp.actors import Actor, ActorField, ActorFieldType, ActorSupport, ActorType, FieldAccess
from erphub.erp.datasets import Dataset, DatasetField, FieldType, Publishing
from erphub.erp.system import FoundCompany
from erphub.erp.transports.sqlserver.server import Server
from erphub.erp.transports.sqlserver.source import INTEGERS, Bound, Source, bind
from erphub.erp.transports.sqlserver.statements import ROWS, Span, condition, expression, listed, quote
from erphub.platform.lexical import is_digits

_READS = "The hub reads Visma Business and does not write to it: the actor is changed there by hand."
TYPES: Mapping[ActorType, ActorSupport | str] = {
    ActorType.CUSTOMER: ActorSupport("actor", reason=_READS),
    ActorType.SUPPLIER: ActorSupport("actor", reason=_READS),
    ActorType.PARTNER: "Who is customer and supplier at once is found as both in Visma Business: link one of them.",
    ActorType.PERSON: "The hub does not read Visma Business's contact persons.",
    ActorType.PROJECT: "Projects are among the dimensions of Visma Business, which each company uses otherwise.",
}
_NUMBERS = {ActorType.CUSTOMER: "CustNo", ActorType.SUPPLIER: "SupNo"}
_KEY, _CHANGED = "key", "changed_on"
_GAP = 100
"""Keys that lie no farther apart are asked for together: reading a few rows too many is cheaper than asking again."""
_OVERLAP = timedelta(days=1)
"""The server writes the day of its own zone, which may be the day before."""


def _field(key: str, name: str, kind: ActorFieldType = ActorFieldType.TEXT) -> ActorField:
    return ActorField(key, name, kind, FieldAccess.READ_ONLY)


FIELDS: Sequence[ActorField] = (
    _field("NAME", "Name"),
    _field("VATNO", "Organisation number"),
    _field("NUMBER2", "Number", ActorFieldType.INTEGER),
    _field("EMAIL", "E-mail", ActorFieldType.EMAIL),
    _field("PHONE", "Phone", ActorFieldType.PHONE),
    _field("PHONE_MOBILE", "Mobile phone", ActorFieldType.PHONE),
    _field("POSTALAD1", "Address, first line"),
    _field("POSTALAD2", "Address, second line"),
    _field("POSTALAD3", "Address, third line"),
    _field("POSTALZIP", "Postal code"),
    _field("POSTALCITY", "City"),
    _field("COUNTRY", "Country's number", ActorFieldType.INTEGER),
)
_COLUMNS = {
    "NAME": "Nm",
    "VATNO": "BsNo",
    "EMAIL": "MailAd",
    "PHONE": "Phone",
    "PHONE_MOBILE": "MobPh",
    "POSTALAD1": "Ad1",
    "POSTALAD2": "Ad2",
    "POSTALAD3": "Ad3",
    "POSTALZIP": "PNo",
    "POSTALCITY": "PArea",
    "COUNTRY": "Ctry",
}


def _columns(actor_type: ActorType) -> Mapping[str, str]:
    return {_KEY: "ActNo", "NUMBER2": _NUMBERS[actor_type], _CHANGED: "ChDt", **_COLUMNS}


def _dataset(actor_type: ActorType) -> Dataset:
    """What is read, as the transport wants it described; the key is all that an installation must have."""
    columns = _columns(actor_type)
    fields = [DatasetField(name, FieldType.TEXT, columns[name], key=name in (_KEY, "NUMBER2")) for name in columns]
    return Dataset("actors", "Actors", fields, Publishing.KEYS)


class VismaActors:
    """The customers, or the suppliers, of the companies of a server."""

    fields = FIELDS

    def __init__(self, server: Server, actor_type: ActorType) -> None:
        support = TYPES[actor_type]
        if isinstance(support, str):
            raise problems.ACTOR_TYPE_NOT_SUPPORTED(reason=support)
        self._server, self._type = server, actor_type

    def get(self, keys: Sequence[str], company: FoundCompany) -> Mapping[str, Actor]:
        """Those that are there, by key. Raises ErpRefused, Unavailable."""
        spans = [Span("ActNo", low, high) for low, high in _spans(sorted({int(key) for key in keys if is_digits(key)}))]
        return {actor.key: actor for actor in self._read(company, lambda _: spans) if actor.key in keys}

    def changed_since(self, since: datetime | None, company: FoundCompany) -> Iterator[Actor]:
        """The longest ago first; of the day of the instant, all."""
        found = self._read(company, self._everyone if since is None else lambda bound: _changed(bound, since))
        return iter(sorted(found, key=lambda actor: (actor.changed_at or datetime.min.replace(tzinfo=UTC), actor.key)))

    def keys(self, company: FoundCompany) -> Iterator[str]:
        """Of all that have a number of the type."""
        return (actor.key for actor in self._read(company, self._everyone))

    def _everyone(self, _: Bound) -> Sequence[Span]:
        return [Span(_NUMBERS[self._type], 1)]

    def _read(self, company: FoundCompany, wanted: Callable[[Bound], Sequence[Span | None]]) -> list[Actor]:
        source = Source("Actor", {name: [column] for name, column in _columns(self._type).items()})
        rows: list[Mapping[str, Any]] = []
        with self._server.database(company.attributes["database"]) as (session, _):
            (bound,) = bind(session, _dataset(self._type), [source])
            columns = listed([expression(column) for column in bound.columns.values()])
            for span in wanted(bound):
                statement = ROWS(
                    columns=columns, schema=quote(source.schema), table=quote(source.table), where=condition(span)
                )
                rows += [dict(zip(bound.columns, row, strict=True)) for row in session.rows(statement)]
        return [_actor(self._type, row) for row in rows if (row["NUMBER2"] or 0) >= 1]


def _changed(bound: Bound, since: datetime) -> Sequence[Span | None]:
    """Rows of the day of an instant and after; every row where the table does not say when it changed."""
    column, day = bound.columns.get(_CHANGED), (since - _OVERLAP).date()
    return [Span(column.name, int(f"{day:%Y%m%d}") if column.type in INTEGERS else day) if column else None]


def _spans(keys: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ranges that hold the keys, which are sorted."""
    low = high = None
    for key in keys:
        if low is not None and high is not None and key - high > _GAP:
            yield low, high + 1
            low = None
        low, high = key if low is None else low, key
    if low is not None and high is not None:
        yield low, high + 1


def _actor(actor_type: ActorType, row: Mapping[str, Any]) -> Actor:
    values = {name: _text(row[name]) for name in row if name not in (_KEY, _CHANGED)}
    return Actor(actor_type, str(row[_KEY]), values, _instant(row.get(_CHANGED)))


def _text(value: Any) -> str | None:
    return None if value is None or not str(value).strip() else str(value).strip()


def _instant(day: Any) -> datetime | None:
    """The beginning of a day, given as 20260131 or as the server's own day; None for what is no day."""
    digits = str(day or "").replace("-", "")[:8]
    try:
        found = date.fromisoformat(digits)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC)
