"""The AWS in memory that fast tests run on answers and refuses as moto does, whatever it is sent."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from erphub.platform.aws import clients
from tests.support.aws import EXPORTS, TENANTS, on_moto, table_request
from tests.support.dynamo import MemoryDynamo
from tests.support.integration import integration
from tests.support.keeping import MemoryS3, MemorySecrets

T = "t"
_NOBODY_READS = {"ARN", "VersionId", "VersionStages", "CreatedDate", "DeletionDate"}
LONG = "x" * (400 * 1024)


@dataclass
class Both:
    """One client in memory and moto's of the same service."""

    memory: Any
    moto: Any

    def ask(self, operation: str, **request: Any) -> Any:
        """Both answers are the same, or both refusals; they come back as one."""
        mine, other = (_outcome(getattr(client, operation), request) for client in (self.memory, self.moto))
        assert mine == other, (operation, request)
        return mine

    def items(self) -> list[Any]:
        return self.ask("scan", TableName=T)["Items"]


def _outcome(operation: Callable[..., Any], request: dict[str, Any]) -> Any:
    try:
        answer = dict(operation(**request))
    except ParamValidationError:
        return "not sent"
    except ClientError as error:
        reasons = [reason["Code"] for reason in error.response.get("CancellationReasons", [])]
        return error.response["Error"]["Code"], reasons, _plain(error.response.get("Item"))
    for name in ("ResponseMetadata", "ConsumedCapacity"):
        answer.pop(name, None)
    answer = {name: _plain(value) for name, value in answer.items() if value != {} and name not in _NOBODY_READS}
    for secret in answer.get("SecretList", []):
        for name in set(secret) - {"Name", "Tags"}:
            del secret[name]
    # The order of a batch's answer, and of a whole table, is nobody's promise.
    for found in (answer.get("Responses") or {}).values():
        found.sort(key=str)
    return answer | ({"Items": sorted(answer["Items"], key=str)} if operation.__name__ == "scan" else {})


def _plain(answer: Any) -> Any:
    """Numbers as numbers: AWS and the client in memory keep no zeros that say nothing, moto does."""
    match answer:
        case {"N": str(number)}:
            return {"N": Decimal(number)}
        case dict():
            return {name: _plain(value) for name, value in answer.items()}
        case list():
            return [_plain(value) for value in answer]
        case _:
            return answer


@pytest.fixture(scope="module")
@integration
def moto() -> Iterator[None]:
    """One moto for all: its clients are slow to make."""
    with on_moto():
        yield


@pytest.fixture
def both(moto: None) -> Iterator[Both]:
    """A table with all indexes, empty, in both."""
    pair = Both(MemoryDynamo([]), clients.client("dynamodb"))
    for client in (pair.memory, pair.moto):
        client.create_table(**table_request(TENANTS | EXPORTS, T))
    yield pair
    pair.moto.delete_table(TableName=T)


# --- what is sent, in order or not ----------------------------------------------------------------------------------


@dataclass
class Sender:
    """Makes up requests as the hub sends them: mostly in order, sometimes not."""

    chance: random.Random

    def value(self) -> dict[str, Any]:
        text = {"S": self.chance.choice(["", "x", "y", "æ", "10", "9"])}
        number = {"N": self.chance.choice(["0", "5", "-2", "10", "3.50", "100000000000000000001"])}
        rest = [{"BOOL": True}, {"M": {"name": text, "of": number}}, {"L": [number, text]}, {"NULL": True}]
        return self.chance.choice([text, number, text, number, *rest])

    def key(self) -> dict[str, Any]:
        return {"pk": {"S": self.chance.choice("PQ")}, "sk": {"S": self.chance.choice("ABCDE") * 2}}

    def item(self) -> dict[str, Any]:
        its = {name: self.value() for name in self.chance.sample(["a", "b", "status", "data"], 2)}
        if self.chance.random() < 0.5:
            its |= {"due_shard": {"S": "0"}, "due_at": {"S": self.chance.choice("123")}}
        if self.chance.random() < 0.3:
            its |= {"day_pk": {"S": "0"}, "day_sk": {"S": self.chance.choice("123")}}
        return self.key() | its

    def condition(self, depth: int = 2) -> str:
        a, b = self.chance.choice(["a", "#b", "#status", "pk"]), self.chance.choice([":x", ":y"])
        number, operator = self.chance.choice(["k", "l"]), self.chance.choice(["<", "<=", ">", ">="])
        if depth and self.chance.random() < 0.5:
            one, other = self.condition(depth - 1), self.condition(depth - 1)
            both = [f"{one} AND {other}", f"{one} OR {other}"]
            return self.chance.choice([*both, f"({both[1]}) AND {one}", f"{other} OR NOT ({both[0]})"])
        # What is not of one kind is unequal to AWS, and cannot be put in order; moto stumbles over the latter.
        equal = [f"{a} = {b}", f"{a} <> {b}", f"NOT {a} IN (:x, :y)", f"{a} IN (:y)"]
        order = [f"{number} {operator} :one", f"due_at {operator} :text"]
        return self.chance.choice([*equal, *order, f"attribute_exists({a})", f"attribute_not_exists({a})"])

    def update(self) -> str:
        sets = self.chance.sample(
            [
                "a = :x",
                "#b = if_not_exists(#status, :y)",
                "#status = if_not_exists(#status, :x)",
                "due_at = :text",
                "due_shard = :text",
                "#data = :y",
                "n = if_not_exists(n, :one) + :one",
                "m = if_not_exists(m, :one) - :one",
            ],
            self.chance.randint(0, 3),
        )
        clauses = [f"SET {', '.join(sets)}"] * bool(sets)
        clauses += self.chance.sample(["REMOVE c, day_pk", "ADD k :one, l :one"], self.chance.randint(not sets, 2))
        self.chance.shuffle(clauses)
        return " ".join(clauses)

    def change(self) -> tuple[str, dict[str, Any]]:
        """One write, as a transaction words it."""
        kind = self.chance.choice(["Put", "Delete", "Update", "Update", "ConditionCheck"])
        request: dict[str, Any] = {"TableName": T}
        if kind == "ConditionCheck" or self.chance.random() < 0.5:
            request["ConditionExpression"] = self.condition()
        if kind == "Update":
            request["UpdateExpression"] = self.update()
        request["Item" if kind == "Put" else "Key"] = self.item() if kind == "Put" else self.key()
        text = f"{request.get('ConditionExpression', '')} {request.get('UpdateExpression', '')}"
        names = {f"#{name}": name for name in ("b", "status", "data") if f"#{name}" in text}
        x, y = (
            self.chance.choice([{"S": "x"}, {"S": "10"}, {"S": ""}, {"N": "10"}, {"N": "3.5"}, {"BOOL": True}])
            for _ in "xy"
        )
        given = {":x": x, ":y": y, ":one": {"N": "1"}, ":text": {"S": self.chance.choice("123")}}
        values = {name: value for name, value in given.items() if name in text}
        request |= {"ExpressionAttributeNames": names} if names else {}
        request |= {"ExpressionAttributeValues": values} if values else {}
        return kind, request

    @staticmethod
    def place(change: dict[str, Any]) -> tuple[str, str]:
        key = change.get("Item") or change["Key"]
        return key["pk"]["S"], key["sk"]["S"]

    def query(self) -> dict[str, Any]:
        index, key, sort, value = self.chance.choice(
            [(None, "pk", "sk", "P"), ("due", "due_shard", "due_at", "0"), ("day", "day_pk", "day_sk", "0")]
        )
        more = self.chance.choice(["", " AND begins_with(#s, :s)", " AND #s <= :s", " AND #s > :s"])
        return {
            "TableName": T,
            "KeyConditionExpression": "#k = :k" + more,
            "ExpressionAttributeNames": {"#k": key} | ({"#s": sort} if more else {}),
            "ExpressionAttributeValues": {":k": {"S": value}}
            | ({":s": {"S": self.chance.choice("BC2")}} if more else {}),
            "ScanIndexForward": self.chance.random() < 0.7,
        } | ({"IndexName": index} if index else {})


def paged(client: Any, query: dict[str, Any], limit: int) -> list[Any]:
    """All of a query, page by page. Whether a full page says that none follows is nobody's promise."""
    found, start = list[Any](), dict[str, Any]()
    while True:
        answer = client.query(**query, Limit=limit, **start)
        assert len(answer["Items"]) <= limit
        found += _plain(answer["Items"])
        if not (last := answer.get("LastEvaluatedKey")):
            return found
        start = {"ExclusiveStartKey": last}


OPERATIONS = {"Put": "put_item", "Delete": "delete_item", "Update": "update_item"}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_sent_the_answers_and_what_is_kept_are_those_of_moto(both: Both, seed: int) -> None:
    sender = Sender(random.Random(seed))
    for _ in range(40):
        kind, request = sender.change()
        if kind in OPERATIONS:
            more = {"ReturnValues": "ALL_NEW"} if kind == "Update" else {}
            if "ConditionExpression" in request and sender.chance.random() < 0.3:
                more |= {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
            both.ask(OPERATIONS[kind], **request, **more)
        changes = [sender.change() for _ in range(3)]
        one_each = {str(sender.place(change)): {kind: change} for kind, change in changes}
        both.ask("transact_write_items", TransactItems=list(one_each.values()))
        if sender.chance.random() < 0.2:
            items = {(item["pk"]["S"], item["sk"]["S"]): item for item in (sender.item() for _ in range(4))}
            both.ask("batch_write_item", RequestItems={T: [{"PutRequest": {"Item": one}} for one in items.values()]})
        both.ask("get_item", TableName=T, Key=sender.key())
        query = sender.query()
        assert paged(both.memory, query, 2) == paged(both.moto, query, 2), query
        both.ask("query", **query)
        both.ask("query", **query, Select="COUNT")
    items = both.items()
    assert len(items) > 5, "else nothing was compared"
    keys = [{name: item[name] for name in ("pk", "sk")} for item in items]
    found = both.ask("batch_get_item", RequestItems={T: {"Keys": [*keys, {"pk": {"S": "P"}, "sk": {"S": "no"}}]}})
    assert len(found["Responses"][T]) == len(items)
    both.ask("batch_write_item", RequestItems={T: [{"DeleteRequest": {"Key": key}} for key in keys]})
    assert both.items() == []


# --- what AWS refuses -----------------------------------------------------------------------------------------------

KEY = {"pk": {"S": "P"}, "sk": {"S": "A"}}
ITEM = {**KEY, "a": {"N": "1"}}


def put(**changes: Any) -> tuple[str, dict[str, Any]]:
    return "put_item", {"TableName": T, "Item": ITEM | changes.pop("Item", {}), **changes}


def update(expression: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    return "update_item", {"TableName": T, "Key": KEY, "UpdateExpression": expression, **changes}


def query(condition: str, **changes: Any) -> tuple[str, dict[str, Any]]:
    return "query", {"TableName": T, "KeyConditionExpression": condition, **changes}


def transact(*writes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return "transact_write_items", {"TransactItems": list(writes)}


def values(**given: Any) -> dict[str, Any]:
    return {"ExpressionAttributeValues": {f":{name}": value for name, value in given.items()}}


def puts(count: int) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": {"pk": {"S": "P"}, "sk": {"S": str(number)}}}} for number in range(count)]


ONE, TEXT = {"N": "1"}, {"S": "x"}
WRITE = {"Put": {"TableName": T, "Item": ITEM}}

REFUSED = {
    "an empty key": put(Item={"sk": {"S": ""}}),
    "a key that is a number": put(Item={"sk": {"N": "1"}}),
    "an item without its key": ("put_item", {"TableName": T, "Item": {"pk": {"S": "P"}}}),
    "an empty key of an index": put(Item={"due_shard": {"S": ""}, "due_at": TEXT}),
    "more than 400 KB": put(Item={"a": {"S": LONG}}),
    "a table that is not there": ("get_item", {"TableName": "other", "Key": KEY}),
    "half a key": ("get_item", {"TableName": T, "Key": {"pk": {"S": "P"}}}),
    "more than a key": ("get_item", {"TableName": T, "Key": ITEM}),
    "a reserved word in a condition": put(ConditionExpression="status = :x", **values(x=TEXT)),
    "a reserved word in an update": update("SET status = :x", **values(x=TEXT)),
    "a value nobody gave": update("SET b = :x"),
    "a name nobody uses": update("SET b = :x", ExpressionAttributeNames={"#c": "c"}, **values(x=TEXT)),
    "a value nobody uses": update("SET b = :x", **values(x=TEXT, y=TEXT)),
    "no expression": update(""),
    "a word too much": update("SET b = :x c", **values(x=TEXT)),
    "a comma too much": update("SET b = :x,", **values(x=TEXT)),
    "a clause that comes twice": update("SET b = :x SET c = :x", **values(x=TEXT)),
    "an attribute that is set twice": update("SET b = :x, b = :x", **values(x=TEXT)),
    "an attribute that is set and removed": update("SET b = :x REMOVE b", **values(x=TEXT)),
    "a key that is changed": update("SET sk = :x", **values(x=TEXT)),
    "a sum with what is not there": update("SET b = nothing + :x", **values(x=ONE)),
    "a sum with text": update("SET a = a + :x", **values(x=TEXT)),
    "a count of text": update("ADD a :x", **values(x=TEXT)),
    "parentheses too many": put(ConditionExpression="((attribute_exists(pk)))"),
    "a query without the partition": query("sk = :x", **values(x=TEXT)),
    "a query of another attribute": query("pk = :x AND a = :x", **values(x=TEXT)),
    "an empty key in a query": query("pk = :x", **values(x={"S": ""})),
    "a strict read of an index": query("day_pk = :x", IndexName="day", ConsistentRead=True, **values(x=TEXT)),
    "no page": query("pk = :x", Limit=0, **values(x=TEXT)),
    "two writes of one item": transact(WRITE, {"Delete": {"TableName": T, "Key": KEY}}),
    "101 writes": transact(*({"Put": {"TableName": T, "Item": one["PutRequest"]["Item"]}} for one in puts(101))),
    "no write": transact(),
    "a check without a condition": transact({"ConditionCheck": {"TableName": T, "Key": KEY}}),
    "a batch with one item twice": ("batch_write_item", {"RequestItems": {T: puts(1) * 2}}),
    "a batch that reads 101": (
        "batch_get_item",
        {"RequestItems": {T: {"Keys": [one["PutRequest"]["Item"] for one in puts(101)]}}},
    ),
    "a batch that reads one twice": ("batch_get_item", {"RequestItems": {T: {"Keys": [KEY, KEY]}}}),
    "a float": put(Item={"a": {"N": 0.5}}),
    "what is no request": ("put_item", {"TableName": T, "Items": ITEM}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_aws_refuses_is_refused(both: Both, what: str) -> None:
    both.ask("put_item", TableName=T, Item=ITEM)
    operation, request = REFUSED[what]
    before = both.items()
    assert isinstance(both.ask(operation, **request), tuple | str), "it was taken"
    assert both.items() == before


# Moto takes these, or stumbles over them.
REFUSED_BY_AWS_ALONE = {
    "a number as key of an index": put(Item={"due_shard": ONE, "due_at": TEXT}),
    "a number of 39 digits": put(Item={"a": {"N": "1" * 39}}),
    "a name nobody gave": update("SET #b = :x", **values(x=TEXT)),
    "a value nobody uses in a condition": put(ConditionExpression="attribute_exists(pk)", **values(y=TEXT)),
    "a word too much in a condition": put(ConditionExpression="attribute_exists(pk) pk"),
    "a parenthesis too few": put(ConditionExpression="(attribute_exists(pk)"),
    "an index that is not there": query("a = :x", IndexName="other", **values(x=TEXT)),
    "a page that begins elsewhere": query("pk = :x", ExclusiveStartKey={"pk": {"S": "P"}}, **values(x=TEXT)),
    "a page that begins in another partition": query("pk = :x", ExclusiveStartKey=KEY, **values(x=TEXT)),
    "a batch of 26": ("batch_write_item", {"RequestItems": {T: puts(26)}}),
    "a value of two kinds": put(Item={"a": {"N": "1", "S": "1"}}),
}


@pytest.mark.parametrize("what", REFUSED_BY_AWS_ALONE)
def test_what_moto_takes_and_aws_does_not_is_refused_too(what: str) -> None:
    memory = MemoryDynamo([])
    memory.create_table(**table_request(TENANTS | EXPORTS, T))
    memory.put_item(TableName=T, Item=ITEM)
    operation, request = REFUSED_BY_AWS_ALONE[what]
    before = memory.scan(TableName=T)
    with pytest.raises(ClientError, match="ValidationException"):
        getattr(memory, operation)(**request)
    assert memory.scan(TableName=T) == before


def test_what_the_hub_never_sends_is_an_error_and_no_guess() -> None:
    memory = MemoryDynamo([])
    memory.create_table(**table_request({}, T))
    for expression in ("SET a.b = :x", "SET a[0] = :x", "SET a = list_append(a, :x)", "DELETE a :x"):
        with pytest.raises((NotImplementedError, ClientError)):
            memory.update_item(TableName=T, Key=KEY, UpdateExpression=expression, **values(x={"L": []}))
    assert memory.scan(TableName=T)["Items"] == []


# --- objects and secrets --------------------------------------------------------------------------------------------


class Bucket:
    """A bucket that keeps versions, seen as what can be told of both: versions are told by their place."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        client.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
        client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def versions(self, prefix: str = "") -> list[dict[str, Any]]:
        (page,) = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix)
        return [*page.get("Versions", []), *page.get("DeleteMarkers", [])]

    def seen(self, prefix: str = "") -> Any:
        (page,) = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        current = [(found["Key"], found["Size"]) for found in page.get("Contents", [])]
        kept = [
            (one["Key"], one["IsLatest"], one.get("Size"), self.body(one["Key"], VersionId=one["VersionId"]))
            for one in self.versions(prefix)
        ]
        return current, kept

    def body(self, key: str, **version: str) -> bytes | str:
        try:
            return self.client.get_object(Bucket=self.name, Key=key, **version)["Body"].read()
        except ClientError as error:
            return "refused" if version else error.response["Error"]["Code"]

    def remove(self, places: list[int]) -> Any:
        """Remove versions for good, by their place."""
        versions = self.versions()
        gone = [{name: versions[place][name] for name in ("Key", "VersionId")} for place in places]
        return self.client.delete_objects(Bucket=self.name, Delete={"Objects": gone, "Quiet": True}).get("Errors")


@pytest.mark.parametrize("seed", range(3))
def test_objects_and_their_versions_are_those_of_moto(moto: None, seed: int) -> None:
    chance = random.Random(seed)
    buckets = memory, other = [Bucket(client, f"bucket-{seed}") for client in (MemoryS3([]), clients.client("s3"))]
    for _ in range(25):
        key, body = chance.choice(["a/1", "a/2", "b/1"]), bytes(chance.randrange(9))
        what, places = chance.random(), chance.sample(range(n := len(memory.versions())), min(n, 2))
        there = {one["Key"] for one in memory.versions()}
        for bucket in buckets:
            if what < 0.6 or key not in there:
                bucket.client.put_object(Bucket=bucket.name, Key=key, Body=body)
            elif what < 0.8:
                bucket.client.delete_objects(Bucket=bucket.name, Delete={"Objects": [{"Key": key}], "Quiet": True})
            else:
                assert bucket.remove(places) is None
        assert memory.seen() == other.seen()
        assert memory.seen("a/") == other.seen("a/")
        assert memory.body(key) == other.body(key)


def test_secrets_are_those_of_moto(moto: None) -> None:
    chance = random.Random(1)
    both = Both(MemorySecrets([]), clients.client("secretsmanager"))
    for number in range(80):
        name = chance.choice(["hub/A/1", "hub/a/2", "other/1"])
        match chance.choice(["create", "put", "get", "delete", "list"]):
            case "create":
                tags = [{"Key": "erphub:client", "Value": "c"}]
                both.ask("create_secret", Name=name, SecretString=str(number), Tags=tags)
            case "put":
                both.ask("put_secret_value", SecretId=name, SecretString=str(number))
            case "get":
                both.ask("get_secret_value", SecretId=name)
            case "delete":
                both.ask("delete_secret", SecretId=name, ForceDeleteWithoutRecovery=True)
            case _:
                both.ask("list_secrets", Filters=[{"Key": "name", "Values": [chance.choice(["hub/a", "o", "x"])]}])
