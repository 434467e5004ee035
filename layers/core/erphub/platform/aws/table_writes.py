"""What makes a write to a table safe to repeat, and the table's refusals in the hub's words.

Every conditional write and every update leaves a mark of its own in the item. When the answer was lost and the client
sends the request again, its condition meets what the first one wrote; the mark tells. Whoever answers a request anew
that died in the middle has the same marks once more, and so finds what was written the first time.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from erphub.platform import problems
from erphub.platform.aws.errors import code_of, later_when_busy
from erphub.platform.aws.items import Item, decode
from erphub.platform.errors import Conflict, ServiceBusy
from erphub.platform.ids import write_marks
from erphub.platform.writes import Write

MAX_ACTIONS = 100
"""What DynamoDB takes in one transaction."""
MARK = "write_id"
"""The attribute that holds the mark of the last conditional write or update."""
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


class VersionConflict(Conflict):
    """A condition did not hold: what was to be written is there already, or is no longer as it was read."""

    code = "version_conflict"


@dataclass(frozen=True)
class Marks:
    """The mark of one write, and the last one that later writes of the same work to the same item may have left."""

    mark: str
    last: str

    @classmethod
    def of(cls, table: str, place: Mapping[str, Any]) -> "Marks":
        """The marks of the next write to an item."""
        return cls(*write_marks(table, place["pk"], place["sk"]))

    def are_on(self, item: Mapping[str, Any]) -> bool:
        """Whether an item (in DynamoDB's way of writing) shows that the write has been made."""
        found: str = item.get(MARK, {}).get("S", "")
        return self.mark <= found <= self.last

    @property
    def values(self) -> dict[str, str]:
        """What `NOT_MADE` needs."""
        return {"mark": self.mark, "last": self.last}


NOT_MADE = "(attribute_not_exists(#mark) OR #mark < :mark OR #mark > :last)"
"""The condition that a write has not been made yet."""


def read_item(item: Mapping[str, Any]) -> Item:
    """An item as whoever asked for it sees it."""
    found = decode(item)
    found.pop(MARK, None)
    return found


def marking(expression: str) -> str:
    """The update expression, leaving a mark as well."""
    if re.search(r"\bSET\b", expression):
        return re.sub(r"\bSET\b", "SET #mark = :mark,", expression, count=1)
    return f"SET #mark = :mark {expression}"


def own_write(error: ClientError, marks: Marks) -> Item | None:
    """The item, when the condition failed because this write has been made: its answer was lost, and it came again."""
    response = cast(dict[str, Any], error.response)
    there = response.get("Item", {})
    if response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
        return None
    return read_item(there) if marks.are_on(there) else None


def own_transaction(error: ClientError, marks: Sequence[Marks]) -> bool:
    """Whether a transaction was refused because it has been made: all or nothing, so that one of its items tells."""
    reasons = cast(dict[str, Any], error.response).get("CancellationReasons", [])
    return any(one.are_on(reason.get("Item") or {}) for one, reason in zip(marks, reasons, strict=False))


def removed_before(error: ClientError) -> bool:
    """Whether a removal found nothing when the client repeated it: then it was the first request that removed it."""
    response = cast(dict[str, Any], error.response)
    failed = response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"
    return failed and not response.get("Item") and response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0


def met_another(error: ClientError) -> bool:
    """Whether a transaction was given up for another one's sake, or for too much at once: then nothing was written."""
    reasons = _reasons(error) - {None, "None"}
    return bool(reasons) and reasons <= _PASSING


def only_chain_moved(error: ClientError, writes: int) -> bool:
    """Whether a transaction was refused for its chains alone, whose items stand behind its `writes`."""
    response = cast(dict[str, Any], error.response)
    codes = [reason.get("Code") for reason in response.get("CancellationReasons", [])]
    own, others = set(codes[:writes]) - {None, "None"}, set(codes[writes:]) - {None, "None"}
    return own <= _PASSING and bool(others) and others <= _PASSING | {"ConditionalCheckFailed"}


def _reasons(error: ClientError) -> set[str | None]:
    response = cast(dict[str, Any], error.response)
    return {reason.get("Code") for reason in response.get("CancellationReasons", [])}


when_table_busy = later_when_busy(problems.TABLE_BUSY)
"""The table's refusals of what has no condition, in the hub's words."""


class table_errors(later_when_busy):
    """The table's refusals in the hub's words: a condition that does not hold is a VersionConflict."""

    def __init__(self) -> None:
        super().__init__(problems.TABLE_BUSY)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ClientError):
            reasons = _reasons(error)
            if code_of(error) == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in reasons:
                raise problems.VERSION_CONFLICT.ending(VersionConflict)() from error
            if reasons & _PASSING:
                raise table_busy() from error
        super().__exit__(kind, error, trace)


def table_busy() -> ServiceBusy:
    """What is said of a table that will answer later."""
    return problems.TABLE_BUSY()


def require_possible(writes: Sequence[Write]) -> None:
    """Raises ValueError for what DynamoDB refuses: too many writes at once, or two of one item."""
    chains = [write.chained.chain for write in writes if write.chained]
    actions = len(writes) + len(chains) + len(set(chains))
    if actions > MAX_ACTIONS:
        raise ValueError(f"a transaction of {actions} writes; DynamoDB takes {MAX_ACTIONS}")
    places = [(place["pk"], place["sk"]) for place in map(place_of, writes)]
    twice = [place for place, times in Counter(places).items() if times > 1]
    if twice:
        raise ValueError(f"a transaction that writes {twice[0][1].partition('#')[0]} twice; DynamoDB takes it once")


def place_of(write: Write) -> Mapping[str, Any]:
    """What holds the key of the item that is written."""
    place = write.put or write.delete or write.update or write.check or (write.chained and write.chained.place)
    if place is None:
        raise ValueError("a write that writes nothing")
    return place
