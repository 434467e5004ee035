"""Several writes at once, all or none, with the entries of chains that go with them.

An entry of a chain is written behind the one that was the last when it was read, on condition that it still is. Two
that write at once meet there: one of them reads the new last one and tries again.
"""

import random
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from erphub.platform.aws.clients import client
from erphub.platform.aws.items import encode
from erphub.platform.aws.table_writes import (
    MARK,
    NOT_MADE,
    Marks,
    marking,
    met_another,
    only_chain_moved,
    own_transaction,
    place_of,
    read_item,
    require_possible,
    table_errors,
)
from erphub.platform.chains import Head, beginning, link
from erphub.platform.writes import ChainedEntry, Write, waiting_writes

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_MAX_ATTEMPTS = 4
"""How often a transaction is tried that meets another one on the same items."""
_MAX_CHAINED_ATTEMPTS = 12
"""How often one is tried that writes to a chain, which all writers of a client share: about 20 seconds at most."""
_MAX_PAUSE_SECONDS = 5.0


def transact(table: str, writes: Sequence[Write]) -> None:
    """All of the writes or none, with what waits to go along. Raises Taken when a condition does not hold.

    Raises ValueError for more than DynamoDB takes at once, or two writes of one item: what would be refused there.
    """
    waiting = waiting_writes()
    writes = [*writes, *(waiting.writes if waiting else ())]
    require_possible(writes)
    marks = [Marks.of(_table_of(write, table), place_of(write)) for write in writes]
    chained = [write.chained for write in writes if write.chained is not None]
    attempts = _MAX_CHAINED_ATTEMPTS if chained else _MAX_ATTEMPTS
    with table_errors():
        for number in range(attempts):
            pause(number)
            items = _items(table, writes, marks, chained)
            try:
                # botocore adds a token, so that what it sends again is the same transaction and not another one.
                client("dynamodb").transact_write_items(TransactItems=items)
            except ClientError as error:
                if own_transaction(error, marks):
                    break
                again = met_another(error) or (chained and only_chain_moved(error, len(writes)))
                if not again or number + 1 == attempts:
                    raise
            else:
                break
    if waiting:
        waiting.is_made = True


def make_waiting_writes() -> None:
    """Write what waits to go along now, before something that cannot be part of a transaction."""
    waiting = waiting_writes()
    if waiting:
        transact("", ())


def pause(tries: int) -> None:
    """Before the next try of what a busy table left over: longer each time, and not all at once."""
    if tries:
        time.sleep(random.uniform(0, min(0.05 * 2**tries, _MAX_PAUSE_SECONDS)))  # noqa: S311 — spreads requests, no secret


def _table_of(write: Write, table: str) -> str:
    return write.chained.table if write.chained else table


def _items(
    table: str, writes: Sequence[Write], marks: Sequence[Marks], chained: Sequence[ChainedEntry]
) -> "list[TransactWriteItemTypeDef]":
    """The transaction as it is sent: the writes, an entry of a chain by its place; then entries and heads."""
    heads = {entry.chain: _read_head(entry) for entry in chained}
    before = dict(heads)
    by_place: list[TransactWriteItemTypeDef] = []
    of_chains: list[TransactWriteItemTypeDef] = []
    for write, mark in zip(writes, marks, strict=True):
        entry = write.chained
        if entry is None:
            by_place.append(_item(table, write, mark))
            continue
        made = link(entry.body, heads[entry.chain])
        heads[entry.chain] = head = Head(heads[entry.chain].number + 1, made.digest)
        new = "attribute_not_exists(pk)"
        by_place.append(_item(entry.table, Write(put={**entry.place, "number": head.number}, condition=new), mark))
        item = {"pk": entry.chain, "sk": entry_sort_key(head.number), "body": made.text, "digest": made.digest}
        of_chains.append(_item(entry.table, Write(put=item, condition=new), None))
    for entry in {entry.chain: entry for entry in chained}.values():
        of_chains.append(_head_item(entry, before[entry.chain], heads[entry.chain]))
    return [*by_place, *of_chains]


def entry_sort_key(number: int) -> str:
    """The sort key of an entry of a chain."""
    return f"ENTRY#{number:012}"


def _read_head(entry: ChainedEntry) -> Head:
    answer = client("dynamodb").get_item(TableName=entry.table, Key=encode(entry.head), ConsistentRead=True)
    item = answer.get("Item")
    if not item:
        return beginning(entry.chain)
    found = read_item(item)
    return Head(int(found["number"]), found["digest"])


def _head_item(entry: ChainedEntry, before: Head, after: Head) -> "TransactWriteItemTypeDef":
    item = {**entry.head, "number": after.number, "digest": after.digest}
    if before.number == 0:
        return _item(entry.table, Write(put=item, condition="attribute_not_exists(pk)"), None)
    values = {"before": before.digest}
    return _item(entry.table, Write(put=item, condition="digest = :before", values=values), None)


def _item(table: str, write: Write, marks: Marks | None) -> "TransactWriteItemTypeDef":
    body: dict[str, Any] = {"TableName": table}
    names, values, condition = dict(write.names), dict(write.values), write.condition
    if write.update is not None and marks:
        condition = f"({condition}) AND {NOT_MADE}" if condition else NOT_MADE
        names, values = names | {"#mark": MARK}, values | marks.values
    if condition:
        body |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if names:
        body["ExpressionAttributeNames"] = names
    if values:
        body["ExpressionAttributeValues"] = encode({f":{name}": value for name, value in values.items()})
    return _action(write, body, marks)


def _action(write: Write, body: Mapping[str, Any], marks: Marks | None) -> "TransactWriteItemTypeDef":
    if write.put is not None:
        item = write.put | {MARK: marks.mark} if write.condition and marks else write.put
        return cast("TransactWriteItemTypeDef", {"Put": {**body, "Item": encode(item)}})
    if write.delete is not None:
        return cast("TransactWriteItemTypeDef", {"Delete": {**body, "Key": encode(write.delete)}})
    if write.update is not None:
        change = {"Key": encode(write.update), "UpdateExpression": marking(write.expression or "")}
        return cast("TransactWriteItemTypeDef", {"Update": {**body, **change}})
    if write.check is not None:
        return cast("TransactWriteItemTypeDef", {"ConditionCheck": {**body, "Key": encode(write.check)}})
    raise ValueError("a write that writes nothing")
