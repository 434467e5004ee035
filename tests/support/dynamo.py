"""DynamoDB's client in memory: the requests of the stores go in as they are, and come to what they do on AWS.

A request takes microseconds here instead of the milliseconds it takes through botocore and moto. What AWS refuses is
refused: the shape of a request is held to botocore's own model of the service, and the rules behind it are below.
tests/platform/memory/test_memory.py sends the same requests to this client and to moto and compares what comes back.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support import grammar
from tests.support.grammar import Given, Refused, Wire
from tests.support.item_values import kept, size
from tests.support.service import Service, operation

type Place = tuple[str, str]

_PAGE_BYTES, _ITEM_BYTES = 1024 * 1024, 400 * 1024
_KEY_BYTES = {"pk": 2048, "sk": 1024}
_ACTIONS = ("Put", "Delete", "Update", "ConditionCheck")
_FAILED = "The conditional request failed"


class Failed(Exception):
    """A condition that does not hold, and the item it was asked of."""

    def __init__(self, item: Wire | None) -> None:
        super().__init__(_FAILED)
        self.item = item


@dataclass(frozen=True)
class Index:
    """A table's own order, or that of a global index: by which attributes, and which ones it carries."""

    name: str | None
    key: str
    sort: str
    carries: frozenset[str] | None = None

    def __contains__(self, item: Wire) -> bool:
        return self.key in item and self.sort in item

    def place(self, item: Wire) -> tuple[bytes, ...]:
        """Where an item stands in a partition; what the sort key leaves open, the table's key decides."""
        return tuple(item[name]["S"].encode() for name in (self.sort, "pk", "sk"))

    def show(self, item: Wire) -> Wire:
        return {name: value for name, value in item.items() if self.carries is None or name in self.carries}


@dataclass
class MemoryTable:
    """The items of one table by partition and sort key. An item is replaced, never changed."""

    indexes: dict[str | None, Index]
    partitions: dict[str, dict[str, Wire]] = field(default_factory=dict[str, dict[str, Wire]])
    indexed: dict[tuple[str, str], dict[Place, Wire]] = field(default_factory=dict[tuple[str, str], dict[Place, Wire]])
    """The items of a partition of a global index, by its name and the partition's key."""
    writes: int = 0

    def __iter__(self) -> Iterator[Wire]:
        for partition in self.partitions.values():
            yield from partition.values()

    def get(self, place: Place) -> Wire | None:
        return self.partitions.get(place[0], {}).get(place[1])

    def set(self, place: Place, item: Wire | None) -> None:
        self.writes += 1
        before = self.get(place)
        if item is not None:
            self.partitions.setdefault(place[0], {})[place[1]] = item
        elif before is not None:
            del self.partitions[place[0]][place[1]]
        for name, index in self.indexes.items():
            if name is not None and before is not None and before in index:
                del self.indexed[name, before[index.key]["S"]][place]
            if name is not None and item is not None and item in index:
                self.indexed.setdefault((name, item[index.key]["S"]), {})[place] = item

    def partition(self, index: Index, key: str) -> Iterable[Wire]:
        """The items of a partition of the table, or of one of its indexes, in no order."""
        if index.name is None:
            return self.partitions.get(key, {}).values()
        return self.indexed.get((index.name, key), {}).values()

    def place(self, key: Wire) -> Place:
        """The place of a key, or of an item. Raises Refused."""
        for name, most in _KEY_BYTES.items():
            if set(key.get(name, {})) != {"S"}:
                raise Refused("The provided key element does not match the schema")
            if not key[name]["S"]:
                raise Refused(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain"
                    f" an empty string value. Key: {name}"
                )
            if len(key[name]["S"].encode()) > most:
                raise Refused(f"Size of {name} has exceeded the maximum size limit of {most} bytes")
        return key["pk"]["S"], key["sk"]["S"]

    def key(self, key: Wire) -> Place:
        """The place of a key that is nothing but a key. Raises Refused."""
        if set(key) != {"pk", "sk"}:
            raise Refused("The provided key element does not match the schema")
        return self.place(key)

    def kept(self, item: Wire) -> Wire:
        """The item as the table would keep it. Raises Refused."""
        for index in self.indexes.values():
            for name in (index.key, index.sort):
                if name in item and (set(item[name]) != {"S"} or not item[name]["S"]):
                    raise Refused(f"One or more parameter values were invalid: Type mismatch for Index Key {name}")
        if size(item) > _ITEM_BYTES:
            raise Refused("Item size has exceeded the maximum allowed size")
        return {name: kept(value) for name, value in item.items()}


@dataclass(frozen=True)
class Change:
    """One write that was found to be in order, and what the item is afterwards."""

    table: MemoryTable
    place: Place
    after: Wire | None
    writes: bool = True

    def make(self) -> None:
        if self.writes:
            self.table.set(self.place, self.after)


class MemoryDynamo(Service):
    """`client("dynamodb")`: what the hub asks of it, and `create_table` and `scan` for tests."""

    name = "dynamodb"

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.tables: dict[str, MemoryTable] = {}
        self._lock = threading.RLock()

    def perform(self, work: Callable[[], Any]) -> Any:
        """One request at a time, and refusals in AWS's words."""
        with self._lock:
            try:
                return work()
            except Refused as refused:
                raise self.error("ValidationException", str(refused)) from refused
            except Failed as failed:
                more = {"Item": failed.item} if failed.item else {}
                raise self.error("ConditionalCheckFailedException", _FAILED, **more) from failed

    # --- tables -------------------------------------------------------------------------------------------------

    @operation
    def create_table(self, TableName: str, GlobalSecondaryIndexes: Sequence[Any] = (), **_: Any) -> Wire:
        indexes: dict[str | None, Index] = {None: Index(None, "pk", "sk")}
        for given in GlobalSecondaryIndexes:
            key, sort = (one["AttributeName"] for one in given["KeySchema"])
            more = given["Projection"].get("NonKeyAttributes")
            if given["Projection"]["ProjectionType"] == "KEYS_ONLY":
                more = ()
            carries = None if more is None else frozenset({"pk", "sk", key, sort, *more})
            indexes[given["IndexName"]] = Index(given["IndexName"], key, sort, carries)
        self.tables[TableName] = MemoryTable(indexes)
        return {"TableDescription": {"TableName": TableName}}

    def _table(self, name: str) -> MemoryTable:
        if name not in self.tables:
            raise self.error("ResourceNotFoundException", "Requested resource not found")
        return self.tables[name]

    # --- reading ------------------------------------------------------------------------------------------------

    @operation
    def get_item(self, TableName: str, Key: Wire, ConsistentRead: bool = False) -> Wire:
        table = self._table(TableName)
        item = table.get(table.key(Key))
        return {} if item is None else {"Item": dict(item)}

    @operation
    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> Wire:
        found: dict[str, list[Wire]] = {}
        for name, wanted in RequestItems.items():
            table = self._table(name)
            places = [table.key(key) for key in wanted["Keys"]]
            if len(set(places)) < len(places):
                raise Refused("Provided list of item keys contains duplicates")
            if len(places) > 100:
                raise Refused("Too many items requested for the BatchGetItem call")
            found[name] = [dict(item) for place in places if (item := table.get(place)) is not None]
        return {"Responses": found, "UnprocessedKeys": {}}

    @operation
    def query(
        self,
        TableName: str,
        KeyConditionExpression: str,
        IndexName: str | None = None,
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        ExpressionAttributeValues: Mapping[str, Wire] | None = None,
        Limit: int | None = None,
        ScanIndexForward: bool = True,
        ConsistentRead: bool = False,
        ExclusiveStartKey: Wire | None = None,
        Select: str = "ALL_ATTRIBUTES",
    ) -> Wire:
        table, names, values = self._table(TableName), ExpressionAttributeNames or {}, ExpressionAttributeValues or {}
        if IndexName not in table.indexes:
            raise Refused(f"The table does not have the specified index: {IndexName}")
        index = table.indexes[IndexName]
        if IndexName and ConsistentRead:
            raise Refused("Consistent reads are not supported on global secondary indexes")
        parts, used = grammar.key_condition(KeyConditionExpression)
        _require_used(used, names, values)
        _require_key_condition(parts, index, Given({}, names, values))

        first, *rest = parts
        found = table.partition(index, values[first.value]["S"])
        if rest:
            found = [item for item in found if rest[0](Given(item, names, values))]
        found = sorted(found, key=index.place, reverse=not ScanIndexForward)
        if ExclusiveStartKey is not None:
            start = _start(ExclusiveStartKey, index, values[first.value])
            found = [item for item in found if (index.place(item) > start) == ScanIndexForward]
            found = [item for item in found if index.place(item) != start]
        page, last = _page(found, index, Limit)
        answer: Wire = {"Count": len(page), "ScannedCount": len(page)}
        if Select != "COUNT":
            answer["Items"] = [index.show(item) for item in page]
        return answer | ({"LastEvaluatedKey": last} if last else {})

    @operation
    def scan(self, TableName: str) -> Wire:
        items = [dict(item) for item in self._table(TableName)]
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}

    # --- writing ------------------------------------------------------------------------------------------------

    @operation
    def put_item(self, **request: Any) -> Wire:
        self._change("Put", request).make()
        return {}

    @operation
    def delete_item(self, **request: Any) -> Wire:
        self._change("Delete", request).make()
        return {}

    @operation
    def update_item(self, ReturnValues: str = "NONE", **request: Any) -> Wire:
        change = self._change("Update", request)
        change.make()
        if ReturnValues not in ("NONE", "ALL_NEW"):
            raise NotImplementedError(ReturnValues)
        return {"Attributes": dict(change.after or {})} if ReturnValues == "ALL_NEW" else {}

    @operation
    def batch_write_item(self, RequestItems: Mapping[str, Any]) -> Wire:
        changes = [
            self._change("Put", {"TableName": name, "Item": one["PutRequest"]["Item"]})
            if "PutRequest" in one
            else self._change("Delete", {"TableName": name, "Key": one["DeleteRequest"]["Key"]})
            for name, requests in RequestItems.items()
            for one in requests
        ]
        if len(changes) > 25:
            raise Refused("Too many items requested for the BatchWriteItem call")
        if _twice(changes):
            raise Refused("Provided list of item keys contains duplicates")
        for change in changes:
            change.make()
        return {"UnprocessedItems": {}}

    @operation
    def transact_write_items(self, TransactItems: Sequence[Mapping[str, Any]]) -> Wire:
        if len(TransactItems) > 100:
            raise Refused("Member must have length less than or equal to 100")
        changes, reasons = list[Change](), list[dict[str, Any]]()
        named = [next(iter(one.items())) for one in TransactItems]
        places = [
            Change(table := self._table(body["TableName"]), table.place(body.get("Item") or body["Key"]), None)
            for _, body in named
        ]
        if _twice(places):
            raise Refused("Transaction request cannot include multiple operations on one item")
        for kind, body in named:
            try:
                changes.append(self._change(kind, dict(body)))
                reasons.append({"Code": "None"})
            except Failed as failed:
                met = {"Item": failed.item} if failed.item else {}
                reasons.append({"Code": "ConditionalCheckFailed", "Message": str(failed), **met})
        if len(changes) < len(named):
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise self.error(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
                CancellationReasons=reasons,
            )
        for change in changes:
            change.make()
        return {}

    def _change(self, kind: str, request: dict[str, Any]) -> Change:
        """What one write comes to, before it is made. Raises Refused, Failed."""
        table = self._table(request.pop("TableName"))
        names = request.pop("ExpressionAttributeNames", {})
        values = request.pop("ExpressionAttributeValues", {})
        test = request.pop("ConditionExpression", None)
        shown = request.pop("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
        holds, used = grammar.condition(test) if test is not None else (None, frozenset[str]())
        given, expression = request.pop("Item" if kind == "Put" else "Key"), request.pop("UpdateExpression", None)
        if request or (expression is not None) != (kind == "Update") or kind not in _ACTIONS:
            raise NotImplementedError(f"{kind} with {sorted(request)}")
        place = table.place(given) if kind == "Put" else table.key(given)
        change, used_by_change = grammar.update(expression) if expression is not None else (None, frozenset[str]())
        _require_used(used | used_by_change, names, values)
        before = table.get(place)
        if holds is not None and not holds(Given(before or {}, names, values)):
            raise Failed(dict(before) if before and shown else None)
        if change is not None:
            now = Given(before or dict(given), names, values)
            if fixed := {name for name in change.targets(now) if name in given}:
                raise Refused(f"Cannot update attribute {min(fixed)}. This attribute is part of the key")
            return Change(table, place, table.kept(change.apply(now)))
        return Change(table, place, table.kept(given) if kind == "Put" else None, writes=kind != "ConditionCheck")


def _require_used(used: frozenset[str], names: Mapping[str, str], values: Mapping[str, Wire]) -> None:
    """Every word is given, and every word that is given is used. Raises Refused."""
    given = {*names, *values}
    if missing := sorted({word for word in used if word[0] in "#:"} - given):
        raise Refused(f"An expression attribute name or value used in expression is not defined: {missing}")
    if unused := sorted(given - used):
        raise Refused(f"Name or value provided unused in expressions: keys: {unused}")


def _require_key_condition(parts: Sequence[grammar.Comparison], index: Index, given: Given) -> None:
    first, *rest = parts
    if first.operator != "=" or given.name(first.attribute) != index.key:
        raise Refused(f"Query condition missed key schema element: {index.key}")
    if len(rest) > 1 or any(given.name(part.attribute) != index.sort or part.operator == "<>" for part in rest):
        raise Refused(f"Query condition missed key schema element: {index.sort}")
    for part in parts:
        if set(given.values[part.value]) != {"S"} or not given.values[part.value]["S"]:
            raise Refused("One or more parameter values are not valid: a key attribute cannot be compared with that")


def _start(key: Wire, index: Index, partition: Wire) -> tuple[bytes, ...]:
    if set(key) != {"pk", "sk", index.key, index.sort}:
        raise Refused("The provided starting key is invalid")
    if key[index.key] != partition:
        raise Refused("The provided starting key is outside query boundaries based on provided conditions")
    return index.place(key)


def _page(found: Sequence[Wire], index: Index, limit: int | None) -> tuple[list[Wire], Wire | None]:
    """As many items as asked for and as fit; a page that is full has one behind it, if only an empty one."""
    page, read = list[Wire](), 0
    for item in found:
        page.append(item)
        read += size(index.show(item))
        if len(page) == limit or read >= _PAGE_BYTES:
            return page, {name: item[name] for name in ("pk", "sk", index.key, index.sort)}
    return page, None


def _twice(changes: Sequence[Change]) -> bool:
    return len({(id(change.table), change.place) for change in changes}) < len(changes)
