"""Rows of a dataset: filters, columns, pages."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from erphub.erp.datasets import BY_ID, Dataset, FieldType
from erphub.erp.reading import DateRange
from erphub.lake import problems
from erphub.lake.ports import HiddenConnections, LakeReader, RowPage, RowQuery
from erphub.lake.rows.schemas import RowsPage, RowsQuery
from erphub.platform.errors import Invalid
from erphub.platform.problems import NEXT_INVALID

MAX_COUNT = 2**63 - 1
"""Beyond it nothing of a table is counted."""


@dataclass(frozen=True)
class RowService:
    """Rows of a client's lake."""

    lake: LakeReader
    hidden: Sequence[HiddenConnections] = ()
    """Connections that are being deleted: their rows are there, and nobody sees them."""

    def list_rows(self, client_id: str, dataset_id: str, query: RowsQuery) -> RowsPage:
        """A page of rows. Raises NotFound (`dataset_not_found`), Invalid, Gone (`page_expired`)."""
        dataset = BY_ID.get(dataset_id)
        if dataset is None:
            raise problems.DATASET_NOT_FOUND()
        hidden = [connection for one in self.hidden for connection in one.hidden(client_id)]
        page = self.lake.page(client_id, dataset, replace(_row_query(dataset, query), hidden=hidden))
        return RowsPage(items=[_to_json(row) for row in page.rows], next=_cursor(page, _fingerprint(dataset, query)))


def _row_query(dataset: Dataset, query: RowsQuery) -> RowQuery:
    version, after, skip = _read_cursor(query.next, dataset, _fingerprint(dataset, query))
    return RowQuery(
        companies=[query.company_key] if query.company_key is not None else [],
        connections=[query.connection_id] if query.connection_id is not None else [],
        date_range=_date_range(dataset, query),
        columns=_columns(dataset, query.columns),
        limit=query.limit,
        version=version,
        after=after,
        skip=skip,
    )


def _date_range(dataset: Dataset, query: RowsQuery) -> DateRange:
    if query.from_date is None and query.to_date is None:
        return DateRange()
    if dataset.date is None:
        pointer = "/from_date" if query.from_date else "/to_date"
        raise Invalid.of(problems.DATASET_WITHOUT_DATES(pointer, dataset_id=dataset.id))
    if query.from_date and query.to_date and query.to_date < query.from_date:
        raise Invalid.of(problems.PERIOD_BACKWARDS("/to_date"))
    if query.to_date == date.max:
        return DateRange(query.from_date, None)
    return DateRange(query.from_date, query.to_date + timedelta(days=1) if query.to_date else None)


def _columns(dataset: Dataset, given: str | None) -> list[str]:
    known = [*(field.name for field in dataset.fields), "company", "connection"]
    if given is None:
        return known
    names = list(dict.fromkeys(name.strip() for name in given.split(",") if name.strip()))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Invalid.of(problems.COLUMN_UNKNOWN(dataset_id=dataset.id, names=", ".join(unknown[:5])))
    if not names:
        raise Invalid.of(problems.COLUMN_REQUIRED())
    return names


def _fingerprint(dataset: Dataset, query: RowsQuery) -> str:
    """What the pages of one list have in common; another list's `next` is not this one's."""
    parts = [dataset.id, query.company_key, query.connection_id, str(query.from_date), str(query.to_date)]
    return sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _cursor(page: RowPage, fingerprint: str) -> str | None:
    if page.last_key is None:
        return None
    place = [_tagged(value) for value in page.last_key]
    text = json.dumps([fingerprint, page.version, place, page.rows_with_last_key], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _read_cursor(
    cursor: str | None, dataset: Dataset, fingerprint: str
) -> tuple[int | None, Sequence[Any] | None, int]:
    """The state and place a `next` stands for. Raises Invalid (`next_invalid`)."""
    if cursor is None:
        return None, None, 0
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("utf-8", "surrogatepass")
        given, version, last, skip = json.loads(text)
        if given != fingerprint or not (_is_count(version) and _is_count(skip)):
            raise ValueError("another list's")
        place = zip(dataset.order, last, strict=True)
        return version, [_untagged(value, _type_of(dataset, column)) for column, value in place], skip
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise Invalid.of(NEXT_INVALID("/next")) from error


def _is_count(number: Any) -> bool:
    """Whether it can be a version of a table, or a number of its rows."""
    return type(number) is int and 0 <= number <= MAX_COUNT


def _tagged(value: Any) -> Any:
    return {"day": value.isoformat()} if isinstance(value, date) else value


def _untagged(value: Any, kind: type) -> Any:
    """What `_tagged` was given. Raises ValueError, TypeError or KeyError for what such a column cannot hold."""
    if value is not None and kind is date:
        return date.fromisoformat(value["day"])
    if value is not None and type(value) is not kind:
        raise TypeError("another column's value")
    return value


def _type_of(dataset: Dataset, column: str) -> type:
    """What a column of the sort key holds: days, whole numbers or text."""
    kinds = {field.name: field.type for field in dataset.fields}
    return {FieldType.DATE: date, FieldType.INTEGER: int}.get(kinds.get(column, FieldType.TEXT), str)


def _to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, (date, datetime)) else value
