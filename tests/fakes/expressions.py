"""A table in memory that understands the conditions and changes which imports send to the one on AWS.

It counts its calls under AWS's names, so that what a run costs can be seen without AWS.
"""

import re
import threading
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from erphub.aws.clients import calls
from erphub.aws.items import decode, encode
from erphub.aws.keys import Key
from erphub.aws.table import Item, Page, Taken, Write
from tests.fakes.tables import MemoryTable


class ExpressiveTable(MemoryTable):
    """`MemoryTable` with update expressions. Unknown grammar is an error, never a guess."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()

    def get(self, key: Key, *, consistent: bool = True) -> Item | None:
        with self._lock:
            calls["dynamodb.GetItem"] += 1
            return super().get(key)

    def put(self, item: Item, *, condition: str | None = None, **values: Any) -> None:
        with self._lock:
            calls["dynamodb.PutItem"] += 1
            self._require((item["pk"], item["sk"]), condition, {}, values)
            self._set(decode(encode(item)))

    def delete(self, key: Key, *, condition: str | None = None, **values: Any) -> None:
        with self._lock:
            calls["dynamodb.DeleteItem"] += 1
            self._require((key["pk"], key["sk"]), condition, {}, values)
            self.items.pop((key["pk"], key["sk"]), None)

    def update(
        self,
        key: Key,
        expression: str,
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Item:
        with self._lock:
            calls["dynamodb.UpdateItem"] += 1
            place = (key["pk"], key["sk"])
            self._require(place, condition, names or {}, values)
            item = deepcopy(self.items.get(place, dict(key)))
            _change(item, expression, names or {}, values)
            self._set(decode(encode(item)))
            return deepcopy(self.items[place])

    def put_many(self, items: Sequence[Item]) -> None:
        with self._lock:
            for start in range(0, len(items), 25):
                calls["dynamodb.BatchWriteItem"] += 1
                for item in items[start : start + 25]:
                    self._set(decode(encode(item)))

    def page(self, pk: str, prefix: str = "", **options: Any) -> Page:
        with self._lock:
            calls["dynamodb.Query"] += 1
            return super().page(pk, prefix, **options)

    def by_index(self, index: str, key: str, value: str, **options: Any) -> Any:
        with self._lock:
            calls["dynamodb.Query"] += 1
            return iter(list(super().by_index(index, key, value, **options)))

    def transact(self, writes: Sequence[Write]) -> None:
        with self._lock:
            calls["dynamodb.TransactWriteItems"] += 1
            for write in writes:
                key: Mapping[str, Any] = write.put or write.delete or write.update or write.check or {}
                self._require((key["pk"], key["sk"]), write.condition, write.names, write.values)
            for write in writes:
                if write.put is not None:
                    self.put(write.put)
                elif write.delete is not None:
                    self.delete(write.delete)
                elif write.update is not None:
                    self.update(write.update, write.expression or "", names=write.names, **write.values)

    def _require(
        self, place: tuple[str, str], condition: str | None, names: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        if condition is None:
            return
        item = self.items.get(place, {})
        holds = any(
            all(_holds(item, part, names, values) for part in either.split(" AND "))
            for either in condition.split(" OR ")
        )
        if not holds:
            raise Taken("It was changed by somebody else in the meantime. Read it again, then decide.")


def _holds(item: Item, part: str, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    if found := re.fullmatch(r"attribute_(not_)?exists\(([#\w]+)\)", part.strip()):
        return (names.get(found[2], found[2]) in item) != bool(found[1])
    if found := re.fullmatch(r"([#\w]+) = :(\w+)", part.strip()):
        name = names.get(found[1], found[1])
        return name in item and item[name] == values[found[2]]
    if found := re.fullmatch(r"([#\w]+) <= :(\w+)", part.strip()):
        name = names.get(found[1], found[1])
        return name in item and item[name] <= values[found[2]]
    raise NotImplementedError(part)


def _change(item: Item, expression: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
    before = deepcopy(item)
    clauses = re.split(r"\b(SET|REMOVE|ADD)\b", expression)[1:]
    for verb, text in zip(clauses[::2], clauses[1::2], strict=True):
        for part in re.split(r",\s*(?![^(]*\))", text.strip()):
            if verb == "REMOVE":
                item.pop(names.get(part, part), None)
            elif verb == "ADD":
                name, value = part.split()
                name = names.get(name, name)
                item[name] = item.get(name, 0) + values[value[1:]]
            else:
                name, _, source = part.partition(" = ")
                item[names.get(name, name)] = _value(before, source, names, values)


def _value(item: Item, source: str, names: Mapping[str, str], values: Mapping[str, Any]) -> Any:
    if found := re.fullmatch(r"if_not_exists\(([#\w]+), :(\w+)\)", source):
        return item.get(names.get(found[1], found[1]), values[found[2]])
    if source.startswith(":"):
        return values[source[1:]]
    raise NotImplementedError(source)
