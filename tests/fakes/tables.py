"""A table in memory that keeps the same promises as the one on AWS, for tests that do a great many things."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from erphub.aws.keys import Key
from erphub.aws.table import Item, Page, Table, Taken, Write
from erphub.errors import Invalid


class MemoryTable(Table):
    """Items by key. Knows the conditions that the stores of syncs use: that a key is new, or a revision unchanged."""

    def __init__(self) -> None:
        super().__init__("memory")
        self.items: dict[tuple[str, str], Item] = {}
        self.writes = 0

    def get(self, key: Key, *, consistent: bool = True) -> Item | None:
        return deepcopy(self.items.get((key["pk"], key["sk"])))

    def get_many(self, wanted: Sequence[Key]) -> list[Item]:
        return [item for key in wanted if (item := self.get(key)) is not None]

    def put(self, item: Item, *, condition: str | None = None, **values: Any) -> None:
        self._check((item["pk"], item["sk"]), condition, values)
        self._set(item)

    def put_new(self, item: Item) -> None:
        self.put(item, condition="attribute_not_exists(pk)")

    def delete(self, key: Key, *, condition: str | None = None, **values: Any) -> None:
        self._check((key["pk"], key["sk"]), condition, values)
        self.items.pop((key["pk"], key["sk"]), None)
        self.writes += 1

    def transact(self, writes: Sequence[Write]) -> None:
        for write in writes:
            key = write.put or write.delete or {}
            self._check((key["pk"], key["sk"]), write.condition, write.values)
        for write in writes:
            if write.put is not None:
                self._set(write.put)
            elif write.delete is not None:
                self.delete(write.delete)

    def page(
        self,
        pk: str,
        prefix: str = "",
        *,
        limit: int = 100,
        next: str | None = None,
        after: str | None = None,
        newest_first: bool = False,
        consistent: bool = True,
    ) -> Page:
        found = [item for item in self.items.values() if item["pk"] == pk and item["sk"].startswith(prefix)]
        start = _unword(next)[1] if next else after
        return _page(found, "sk", start, limit, newest_first, lambda item: [pk, item["sk"]])

    def page_of_index(
        self,
        index: str,
        attributes: tuple[str, str],
        value: str,
        prefix: str = "",
        *,
        limit: int = 100,
        next: str | None = None,
        newest_first: bool = False,
    ) -> Page:
        key, sort = attributes
        found = [item for item in self.items.values() if item.get(key) == value and item[sort].startswith(prefix)]
        if next and _unword(next)[0] != value:
            raise Invalid.field("/next", "next_invalid", "This is not a `next` that this list gave.")
        start = _unword(next)[1] if next else None
        page = _page(found, sort, start, limit, newest_first, lambda item: [value, item[sort]])
        # As on AWS, the indexes carry the entry without its body.
        return Page(
            [{name: item[name] for name in ("pk", "sk", "data") if name in item} for item in page.items], page.next
        )

    def by_index(
        self, index: str, key: str, value: str, *, upto: tuple[str, str] | None = None, limit: int = 1000
    ) -> Iterator[Item]:
        found = [item for item in self.items.values() if item.get(key) == value]
        yield from (deepcopy(item) for item in found if upto is None or item[upto[0]] <= upto[1])

    def _set(self, item: Item) -> None:
        self.items[item["pk"], item["sk"]] = deepcopy(
            {name: value for name, value in item.items() if value is not None}
        )
        self.writes += 1

    def _check(self, key: tuple[str, str], condition: str | None, values: Mapping[str, Any]) -> None:
        existing = self.items.get(key)
        match condition:
            case None:
                return
            case "attribute_not_exists(pk)":
                holds = existing is None
            case "rev = :rev":
                holds = existing is not None and existing.get("rev") == values["rev"]
            case _:
                raise NotImplementedError(condition)
        if not holds:
            raise Taken("It was changed by somebody else in the meantime. Read it again, then decide.")


def _page(found: list[Item], sort: str, start: str | None, limit: int, newest_first: bool, word: Any) -> Page:
    found.sort(key=lambda item: item[sort], reverse=newest_first)
    if start is not None:
        found = [item for item in found if (item[sort] < start if newest_first else item[sort] > start)]
    items = deepcopy(found[:limit])
    return Page(items, _word(word(items[-1])) if len(found) > limit else None)


def _word(key: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _unword(word: str) -> list[str]:
    return json.loads(base64.urlsafe_b64decode(word))
