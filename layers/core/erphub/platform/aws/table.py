"""The tenant table: items as plain dicts in and out, conditions as exceptions, pages behind opaque cursors.

A request whose answer was lost is repeated by the client, and then a condition meets what the first one wrote. So every
conditional write and every update leaves a mark of its own in the item, and one that is refused because of its own mark
has succeeded. An update that adds something adds it once, for the same reason. Transactions carry a token that
DynamoDB knows them by for ten minutes. The mark stays in here: nobody who reads an item sees it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import ClientError

from erphub.platform.aws import transactions
from erphub.platform.aws.clients import client
from erphub.platform.aws.items import Item, encode, encode_value
from erphub.platform.aws.table_pages import ItemPage, decode_cursor, decode_index_cursor, encode_cursor
from erphub.platform.aws.table_writes import (
    MARK,
    NOT_MADE,
    Marks,
    marking,
    own_write,
    read_item,
    removed_before,
    table_busy,
    table_errors,
    when_table_busy,
)
from erphub.platform.writes import Key, Write, waiting_writes


def make_key(pk: str, *parts: str) -> Key:
    """The key of these parts."""
    return {"pk": pk, "sk": "#".join(parts)}


def client_partition(client_id: str) -> str:
    """The partition key under which everything of a client lies."""
    return f"CLIENT#{client_id}"


_MAX_BATCH_ATTEMPTS = 8
_KEYS_PER_PAGE = 5_000
"""Keys alone are short: so many are about a page's megabyte."""


class Table:
    """One DynamoDB table with string keys `pk` and `sk`."""

    def __init__(self, name: str) -> None:
        self.name = name

    def get(self, key: Key, *, consistent: bool = True) -> Item | None:
        """The item of this key."""
        with when_table_busy:
            answer = client("dynamodb").get_item(TableName=self.name, Key=encode(key), ConsistentRead=consistent)
        item = answer.get("Item")
        return read_item(item) if item else None

    def put(
        self, item: Item, *, condition: str | None = None, names: Mapping[str, str] | None = None, **values: Any
    ) -> None:
        """Write the item. Raises Taken when the condition does not hold, unless because this very item is there."""
        if waiting_writes():
            self.transact([Write(put=item, condition=condition, names=names or {}, values=values)])
            return
        request: dict[str, Any] = {"TableName": self.name, "Item": encode(item)}
        if condition is None:
            with when_table_busy:
                client("dynamodb").put_item(**request)
            return
        marks = Marks.of(self.name, item)
        request["Item"] = encode(item | {MARK: marks.mark})
        request["ExpressionAttributeNames"] = {**(names or {}), "#mark": MARK}
        _add_condition(request, f"({condition}) OR #mark = :mark", values | {"mark": marks.mark})
        with table_errors():
            try:
                client("dynamodb").put_item(**request)
            except ClientError as error:
                if own_write(error, marks) is None:
                    raise

    def put_new(self, item: Item) -> None:
        """Write the item unless its key is there already. Raises Taken."""
        self.put(item, condition="attribute_not_exists(pk)")

    def update(
        self,
        key: Key,
        expression: str,
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        **values: Any,
    ) -> Item:
        """Change the item and return all of it as it is now. Values are named `:name` in the expressions.

        Raises Taken when the condition does not hold, unless because the change has been made already.
        """
        if waiting_writes():
            write = Write(update=key, expression=expression, condition=condition, names=names or {}, values=values)
            self.transact([write])
            return self.get(key) or {}
        marks = Marks.of(self.name, key)
        request: dict[str, Any] = {
            "TableName": self.name,
            "Key": encode(key),
            "UpdateExpression": marking(expression),
            "ReturnValues": "ALL_NEW",
            "ExpressionAttributeNames": {**(names or {}), "#mark": MARK},
        }
        _add_condition(request, f"({condition}) AND {NOT_MADE}" if condition else NOT_MADE, values | marks.values)
        with table_errors():
            try:
                return read_item(client("dynamodb").update_item(**request).get("Attributes", {}))
            except ClientError as error:
                made = own_write(error, marks)
                if made is None:
                    raise
                return made

    def delete(self, key: Key, *, condition: str | None = None, **values: Any) -> None:
        """Remove the item; one that is not there is fine. Raises Taken when the condition does not hold."""
        if waiting_writes():
            self.transact([Write(delete=key, condition=condition, values=values)])
            return
        request: dict[str, Any] = {"TableName": self.name, "Key": encode(key)}
        _add_condition(request, condition, values)
        with table_errors():
            try:
                client("dynamodb").delete_item(**request)
            except ClientError as error:
                if not removed_before(error):
                    raise

    def page(
        self,
        pk: str,
        prefix: str = "",
        *,
        limit: int = 100,
        cursor: str | None = None,
        after: str | None = None,
        newest_first: bool = False,
        consistent: bool = True,
    ) -> ItemPage:
        """A page of a partition's items whose sort key begins with the prefix, in order of sort key.

        It begins where the page before ended (`cursor`), or behind the sort key `after`.
        """
        request = self._partition(pk, prefix, newest_first=newest_first, consistent=consistent)
        start = decode_cursor(cursor, pk, prefix) or (encode({"pk": pk, "sk": after}) if after else None)
        items, last = self._query(request, start, limit)
        return ItemPage(items, encode_cursor(last))

    def read_all(
        self, pk: str, prefix: str = "", *, newest_first: bool = False, consistent: bool = True
    ) -> Iterator[Item]:
        """Every item of a partition whose sort key begins with the prefix."""
        request = self._partition(pk, prefix, newest_first=newest_first, consistent=consistent)
        start: Any = None
        while True:
            items, start = self._query(request, start, 1000)
            yield from items
            if not start:
                return

    def _partition(self, pk: str, prefix: str, *, newest_first: bool, consistent: bool) -> dict[str, Any]:
        return {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            "ExpressionAttributeValues": encode({":pk": pk} | ({":prefix": prefix} if prefix else {})),
            "ScanIndexForward": not newest_first,
            "ConsistentRead": consistent,
        }

    def _query(self, request: Mapping[str, Any], start: Any, limit: int) -> tuple[list[Item], Any]:
        """A page of a query behind the key `start`, and the key that it ends with."""
        behind = {"ExclusiveStartKey": start} if start else {}
        with when_table_busy:
            answer = client("dynamodb").query(**request, **behind, Limit=limit)
        return [read_item(item) for item in answer["Items"]], answer.get("LastEvaluatedKey")

    def search(
        self,
        pk: str,
        prefix: str,
        keep: Callable[[Item], bool],
        *,
        limit: int,
        cursor: str | None,
        newest_first: bool = False,
        most: int | None = None,
    ) -> ItemPage:
        """A page of the items that `keep` wants; reads on until it is full, so that no page comes out thin.

        With `most`, until so many were looked at: then the page may be thin, and have a next one.
        """
        found: list[Item] = []
        read = 0
        while True:
            page = self.page(pk, prefix, limit=1000, cursor=cursor, newest_first=newest_first)
            read += len(page.items)
            for item in page.items:
                if keep(item):
                    if len(found) == limit:
                        return ItemPage(found, encode_cursor(encode(key_of(found[-1]))))
                    found.append(item)
            if (cursor := page.next) is None or (most is not None and read >= most):
                return ItemPage(found, cursor)

    def by_index(
        self, index: str, key: str, value: str, *, at_most: tuple[str, str] | None = None, limit: int = 1000
    ) -> Iterator[Item]:
        """Every item an index holds under a value; `at_most` keeps those whose sort attribute is at most so much."""
        values = {":key": value} | ({":at_most": at_most[1]} if at_most else {})
        request: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": "#key = :key" + (" AND #sort <= :at_most" if at_most else ""),
            "ExpressionAttributeNames": {"#key": key} | ({"#sort": at_most[0]} if at_most else {}),
            "ExpressionAttributeValues": encode(values),
        }
        start: Any = None
        while True:
            items, start = self._query(request, start, limit)
            yield from items
            if not start:
                return

    def keys_in_index(
        self, index: str, attributes: tuple[str, str], value: str, prefix: str, *, most: int | None = None
    ) -> list[Key]:
        """The keys of what an index holds under a value, as far as the sort attribute begins so; about `most` of them.

        Reading ends with the page that brings the `most`th.
        """
        request = self._under(index, attributes, value, prefix, newest_first=False)
        found: list[Key] = []
        start: Any = None
        while True:
            items, start = self._query(request, start, _KEYS_PER_PAGE)
            found += [key_of(item) for item in items]
            if not start or (most is not None and len(found) >= most):
                return found

    def count(self, pk: str, prefix: str, most: int, *, consistent: bool = False) -> int:
        """How many items of a partition have sort keys that begin so, without fetching them; counts to `most`."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "ConsistentRead": consistent,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": encode({":pk": pk, ":prefix": prefix}),
        }
        return self._count(request, most)

    def count_in_index(self, index: str, key: str, value: str, most: int | None = None) -> int:
        """How many items an index holds under a value, without fetching them; counts to `most`."""
        request: dict[str, Any] = {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": key},
            "ExpressionAttributeValues": encode({":key": value}),
        }
        return self._count(request, most)

    def _count(self, request: dict[str, Any], most: int | None) -> int:
        counted = 0
        while True:
            bound: dict[str, Any] = {} if most is None else {"Limit": most - counted}
            with when_table_busy:
                answer = client("dynamodb").query(**request, **bound, Select="COUNT")
            counted += answer["Count"]
            last = answer.get("LastEvaluatedKey")
            if not last or (most is not None and counted >= most):
                return counted
            request["ExclusiveStartKey"] = last

    def page_of_index(
        self,
        index: str,
        attributes: tuple[str, str],
        value: str,
        prefix: str = "",
        *,
        limit: int = 100,
        cursor: str | None = None,
        newest_first: bool = False,
    ) -> ItemPage:
        """A page of what an index holds under a value, in order of its sort attribute; a moment behind the table."""
        request = self._under(index, attributes, value, prefix, newest_first=newest_first)
        items, last = self._query(request, decode_index_cursor(cursor, attributes[0], value), limit)
        return ItemPage(items, encode_cursor(last))

    def _under(
        self, index: str, attributes: tuple[str, str], value: str, prefix: str, *, newest_first: bool
    ) -> dict[str, Any]:
        return {
            "TableName": self.name,
            "IndexName": index,
            "KeyConditionExpression": "#key = :key" + (" AND begins_with(#sort, :prefix)" if prefix else ""),
            "ExpressionAttributeNames": {"#key": attributes[0]} | ({"#sort": attributes[1]} if prefix else {}),
            "ExpressionAttributeValues": encode({":key": value} | ({":prefix": prefix} if prefix else {})),
            "ScanIndexForward": not newest_first,
        }

    def get_many(self, wanted: Sequence[Key]) -> list[Item]:
        """Those of the items that are there, 100 a call, in no order."""
        found: list[Item] = []
        for start in range(0, len(wanted), 100):
            left: Any = {
                self.name: {"Keys": [encode(key) for key in wanted[start : start + 100]], "ConsistentRead": True}
            }
            for number in range(_MAX_BATCH_ATTEMPTS):
                transactions.pause(number)
                with when_table_busy:
                    answer: Any = client("dynamodb").batch_get_item(RequestItems=left)
                found += [read_item(item) for item in answer["Responses"].get(self.name, [])]
                if not (left := answer.get("UnprocessedKeys")):
                    break
            else:
                raise table_busy()
        return found

    def transact(self, writes: Sequence[Write]) -> None:
        """All of the writes or none. Raises Taken when a condition does not hold.

        Raises ValueError for more than DynamoDB takes at once, or two writes of one item: what would be refused there.
        """
        transactions.transact(self.name, writes)

    def put_many(self, items: Sequence[Item]) -> None:
        """Write items, 25 a call, repeating what a busy table left over; not all-or-nothing."""
        transactions.make_waiting_writes()
        for start in range(0, len(items), 25):
            self._batch([{"PutRequest": {"Item": encode(item)}} for item in items[start : start + 25]])

    def delete_many(self, keys: Sequence[Key]) -> None:
        """Remove items, 25 a call; keys that are not there are fine."""
        transactions.make_waiting_writes()
        for start in range(0, len(keys), 25):
            self._batch([{"DeleteRequest": {"Key": encode(key)}} for key in keys[start : start + 25]])

    def _batch(self, requests: Sequence[Any]) -> None:
        left: Any = {self.name: list(requests)}
        for number in range(_MAX_BATCH_ATTEMPTS):
            transactions.pause(number)
            with when_table_busy:
                left = client("dynamodb").batch_write_item(RequestItems=left).get("UnprocessedItems")
            if not left:
                return
        raise table_busy()


def key_of(item: Mapping[str, Any]) -> Key:
    """The key of an item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def _add_condition(request: dict[str, Any], condition: str | None, values: Mapping[str, Any]) -> None:
    if condition:
        request["ConditionExpression"] = condition
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if values:
        serialized = {f":{name}": encode_value(value) for name, value in values.items()}
        request["ExpressionAttributeValues"] = serialized
